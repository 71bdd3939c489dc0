#ifndef DAG_TASKS_PROTO_MASK_WIRE_H
#define DAG_TASKS_PROTO_MASK_WIRE_H
/*
 * The flat block of a mask: a radix tree over all forms of all secrets, so that looking for
 * the longest one at a place costs its length at most, however many begin alike.
 * Nodes are stored breadth first: the children of a node are neighbours and follow it.
 */
#include <stddef.h>
#include <stdint.h>

#define MASK_MAGIC 0x314b534du /* "MSK1" */

struct mask {
	uint32_t magic;
	uint32_t size;	 /* of the whole block */
	uint32_t nnodes; /* node 0 is the root, with an empty label */
	uint32_t bytes;	 /* offset of the labels' bytes */
	/* Bit b0 << 8 | b1 is set if a form begins with these two bytes. */
	uint8_t pairs[8192];
	struct mask_node {
		uint32_t label; /* offset of the label in the bytes */
		uint32_t len;
		uint32_t child; /* index of the first child */
		uint16_t nchild;
		uint16_t end; /* 1: a form ends here */
	} nodes[];
};

#endif
