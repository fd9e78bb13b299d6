extension Array {
    /// Cut, in order, into pieces of at most so many bytes, or of one element that has more.
    ///
    /// - Parameters:
    ///   - limit: bytes of a piece.
    ///   - rows: elements of a piece.
    ///   - size: bytes of an element.
    func pieces(bytes limit: Int, rows: Int = .max, size: (Element) throws -> Int) rethrows -> [[Element]] {
        var pieces: [[Element]] = []
        var start = startIndex
        var bytes = 0
        for index in indices {
            let size = try size(self[index])
            if index > start, index - start >= rows || bytes + size > limit {
                pieces.append(Array(self[start..<index]))
                start = index
                bytes = 0
            }
            bytes += size
        }
        if start < endIndex { pieces.append(Array(self[start...])) }
        return pieces
    }
}
