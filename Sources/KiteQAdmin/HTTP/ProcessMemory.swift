import CMemory

/// What the C library does with memory that is free.
enum ProcessMemory {
    /// Gives back what is free between what is not; takes some milliseconds.
    static func giveBack() { kiteq_give_back_memory() }
}
