import KiteQCore

extension BrokerAddress {
    /// Whether what is sent there does not leave this machine: by the address itself, for a name may lead anywhere.
    var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

extension KiteQConfiguration {
    /// Whether a broker may be shown the secret without TLS.
    func mayBeShownSecret(_ address: BrokerAddress) -> Bool {
        secret.isEmpty || sendsSecretInPlainText || address.isLoopback
    }

    func plainTextRefusal(_ address: BrokerAddress) -> String {
        """
        the secret of group \(group) is not sent to \(address) in plain text: use TLS, or set sendsSecretInPlainText where \
        everybody on the network may know it
        """
    }
}
