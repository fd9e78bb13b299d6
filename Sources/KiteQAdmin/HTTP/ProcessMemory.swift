import CMemory

/// What the C library does with memory that is free.
package enum ProcessMemory {
    /// Blocks of half a megabyte or more go back to the system as soon as they are free, for as long as the process runs.
    package static func keepNoLargeBlocks() { kiteq_keep_no_blocks_from(512 << 10) }

    /// Gives back what is free between what is not; takes some milliseconds.
    static func giveBack() { kiteq_give_back_memory() }
}
