/// What is said of a certificate that ends soon.
package enum CertificateEnd {
    /// - Parameters:
    ///   - option: that names its file.
    ///   - end: Unix seconds.
    /// - Returns: a sentence; nil where it lasts for two weeks at least.
    package static func warning(of option: String, at end: Int) -> String? {
        let days = (end - Int(SystemTime.wall() / 1_000)) / 86_400
        guard days < 14 else { return nil }
        let when = days < 0 ? "has ended" : days == 0 ? "ends within a day" : "ends in \(days) days"
        return "the certificate of \(option) \(when)"
    }
}
