extension String {
    /// The start of it that has at most so many bytes in UTF-8, without half a character.
    func prefix(bytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var text = Substring(self)
        while text.utf8.count > limit { text.removeLast() }
        return String(text)
    }
}
