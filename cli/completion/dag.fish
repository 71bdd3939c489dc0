# Completion of dag for fish.  Try it: dag completion fish | source
# What may stand where is asked of dag itself, so this file need not change with it.
function __dag_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    for line in (command $words[1] __complete $words[2..-1] "$word" 2>/dev/null)
        switch $line
            case :nospace
            case :yaml
                __fish_complete_suffix .yaml
            case :file
                __fish_complete_path "$word"
            case :dir
                __fish_complete_directories "$word" ''
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c dag -f -k -a '(__dag_complete)'
