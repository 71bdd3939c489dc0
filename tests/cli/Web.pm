# A web server on 127.0.0.1 that serves a directory, in ways that its paths name:
#	/FILE			with an ETag
#	/plain/FILE		without any word of its version
#	/md5/FILE		with Content-MD5
#	/chunked/FILE		without a length, in chunks
#	/to/FILE		a redirection to /FILE;  /away/ to ftp:, /loop/ to itself
#	/nohead/FILE		HEAD is refused
#	/cut/FILE		half of the bytes it promises; /torn/ half of the chunks
#	/stall/FILE		half of the bytes, then silence
#	/busy/FILE		503, twice; then the file
#	/huge/FILE		promises 10^15 bytes
#	/secret/FILE		401
#	/moving/FILE		another ETag each time
package Web;
use strict;
use warnings;
use Digest::MD5 qw(md5_base64 md5_hex);
use Exporter qw(import);
use IO::Socket::INET;

our @EXPORT = qw(web web_end web_log);
my ($pid, $log);

sub web {
	my ($dir) = @_;
	$log = "$dir/.log";
	my $listen = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "listen: $!";
	my $url = 'http://127.0.0.1:' . $listen->sockport;
	$pid = fork // die "fork: $!";
	return $url if $pid;
	local $SIG{CHLD} = 'IGNORE';
	local $SIG{PIPE} = 'IGNORE';
	setpgrp(0, 0);
	while (1) {
		my $c = $listen->accept or next;
		next if fork;
		serve($c, $dir);
		POSIX::_exit(0);
	}
}

sub web_end { kill('KILL', -$pid), waitpid($pid, 0) if $pid; $pid = undef }

# What was asked for since the last call: "GET /x", ...
sub web_log {
	open(my $f, '<', $log) or return ();
	chomp(my @lines = <$f>);
	unlink $log;
	return @lines;
}

sub note_down {
	open(my $f, '>>', $log) or return;
	syswrite $f, "$_[0]\n";
}

sub count {
	my ($file) = @_;
	open(my $f, '>>', $file) or return 0;
	syswrite $f, '.';
	return -s $file;
}

sub serve {
	my ($c, $dir) = @_;
	my $line = <$c> // return;
	while (defined(my $h = <$c>)) { last if $h =~ /^\r?\n$/ }
	my ($method, $path) = split ' ', $line;
	note_down("$method $path");
	my ($how) = $path =~ m{^/(\w+)/};
	$how //= '';
	(my $name = $path) =~ s{^/(?:\w+/)?}{};
	$name =~ s/\?.*//;
	my $say = sub { print $c "HTTP/1.1 $_[0]\r\nConnection: close\r\n", (map { "$_\r\n" } @_[1 .. $#_]), "\r\n" };
	return $say->('302 Found', "Location: /$name", 'Content-Length: 0') if $how eq 'to';
	return $say->('302 Found', "Location: ftp://127.0.0.1/$name", 'Content-Length: 0') if $how eq 'away';
	return $say->('302 Found', "Location: $path", 'Content-Length: 0') if $how eq 'loop';
	return $say->('405 No', 'Content-Length: 0') if $how eq 'nohead' && $method eq 'HEAD';
	return $say->('401 No', 'Content-Length: 0') if $how eq 'secret';
	return $say->('503 Later', 'Content-Length: 0') if $how eq 'busy' && count("$dir/.busy") <= 2;
	open(my $f, '<:raw', "$dir/$name") or return $say->('404 No', 'Content-Length: 0');
	local $/;
	my $d = <$f> // '';
	my @h = ('ETag: "' . md5_hex($d) . '"');
	@h = () if $how eq 'plain';
	@h = ('Content-MD5: ' . md5_base64($d) . '==') if $how eq 'md5';
	@h = ('ETag: "' . count("$dir/.moves") . '"') if $how eq 'moving';
	push @h, $how eq 'huge' ? 'Content-Length: 1000000000000000' :
		$how =~ /^(?:chunked|torn)$/ ? 'Transfer-Encoding: chunked' : 'Content-Length: ' . length $d;
	$say->('200 OK', @h);
	return if $method eq 'HEAD';
	my $half = substr($d, 0, length($d) / 2);
	if ($how eq 'chunked') { printf $c "%x\r\n%s\r\n0\r\n\r\n", length $d, $d }
	elsif ($how eq 'torn') { printf $c "%x\r\n%s\r\n", length $half, $half }
	elsif ($how eq 'cut') { print $c $half }
	elsif ($how eq 'stall') { $c->autoflush(1); print $c $half; sleep 20 }
	else { print $c $d }
}

END { my $rc = $?; web_end(); $? = $rc }

1;
