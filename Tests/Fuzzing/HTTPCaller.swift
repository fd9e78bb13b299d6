import Foundation
import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore
import NIOCore
import NIOHTTP1

@testable import KiteQAdmin

/// What a request says of who asks, held against rules that are written here a second time, on bytes.
enum HTTPCaller {
    private static let token = "right-token"
    private static let proxy = InternetAddress("127.0.0.1")!
    private static let stranger = InternetAddress("2001:db8::7")!
    private static let policy = AccessPolicy(
        tokens: [AccessToken(name: "t", role: .operate, hash: AccessToken.hash(of: token))], anonymous: .operate,
        anonymousByProxy: .read, opensGroupsByProxy: true, hosts: ["kiteq.example"],
        proxies: TrustedProxies([AddressRange("127.0.0.1")!]))

    static func check(_ head: HTTPHeads.Head) {
        let request = Request(head: head.request, body: RequestBody(buffer: ByteBuffer()))
        for peer in [proxy, stranger, nil] {
            let source = RequestSource(head.request, peer: peer, proxies: policy.proxies)
            checkSource(source, peer)
            checkAdmission(request, source, head.decoded)
        }
        checkCredentials(request)
        checkTarget(request)
    }

    // MARK: Where it comes from

    private static func checkSource(_ source: RequestSource, _ peer: InternetAddress?) {
        precondition(source.remote.utf8.count <= 64 && source.place.utf8.count <= 64, "an address is short")
        Sentences.check(source.remote)
        if peer == stranger { precondition(source.remote == stranger.description, "who is no proxy is not believed") }
        for case let host? in source.hosts {
            precondition(
                !host.text.isEmpty
                    && HostName(host.isAddress && host.text.contains(":") ? "[\(host.text)]" : host.text) == host)
        }
    }

    // MARK: Who is let in

    private static func checkAdmission(_ request: Request, _ source: RequestSource, _ head: HTTPRequestHead) {
        let access = AdminAccess(policy)
        let authorization = head.headers["authorization"]
        do {
            let caller = try access.admit(request, from: source)
            if authorization.isEmpty {
                precondition(names(of: head).allSatisfy(isOwn), "nobody is let in by a foreign name")
                precondition(source.way != .otherProxies, "nor behind a proxy that nobody knows")
                precondition(caller.role == (source.way == .direct ? .operate : .read))
            } else {
                precondition(authorization.contains { endsWithToken($0) }, "only the token lets in")
            }
        } catch {
            HTTPHeads.check(error)
        }
        do {
            try policy.checkOpenGroup(source)
            precondition(names(of: head).allSatisfy(isOwn), "no group comes by a foreign name")
        } catch {
            HTTPHeads.check(error)
        }
    }

    private static func endsWithToken(_ text: String) -> Bool {
        text.utf8.suffix(token.utf8.count).elementsEqual(token.utf8)
    }

    /// Every name by which it calls, as bytes: `Host`, and the target's.
    private static func names(of head: HTTPRequestHead) -> [[UInt8]] {
        let target = Array(head.uri.utf8)
        // Blanks around a field's value are no part of it.
        var names = head.headers["host"].map { field in
            Array(field.utf8.drop { " \t".utf8.contains($0) }.reversed().drop { " \t".utf8.contains($0) }.reversed())
        }
        if target.first != UInt8(ascii: "/"), let scheme = target.firstRange(of: Array("://".utf8)) {
            names.append(target[scheme.upperBound...].prefix { !"/?#".utf8.contains($0) })
        }
        return names
    }

    /// An address, localhost or the one that was configured, with or without a port.
    private static func isOwn(_ name: [UInt8]) -> Bool {
        var text = String(decoding: name, as: UTF8.self).lowercased()
        if let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")),
            !text.utf8.contains(UInt8(ascii: "]"))
                || text.utf8[..<colon].last == UInt8(ascii: "]"),
            text.utf8[colon...].dropFirst().allSatisfy({ (48...57).contains($0) })
        {
            text = String(text[..<colon])
        }
        if text.hasSuffix(".") { text.removeLast() }
        return ["localhost", "kiteq.example"].contains(text) || InternetAddress(text) != nil
    }

    // MARK: What it shows

    private static func checkCredentials(_ request: Request) {
        do {
            let credentials = try GroupCredentials(request)
            let (group, secret) = (Array(credentials.group.utf8), Array(credentials.secret.utf8))
            precondition((1...255).contains(group.count) && !group.contains(UInt8(ascii: ":")))
            let shown = Data(
                base64Encoded: String(request.headers[.authorization]!.split(separator: " ", maxSplits: 1)[1]))
            precondition(shown.map { Array($0) } == group + Array(":".utf8) + secret, "a secret is what was shown")
        } catch {
            HTTPHeads.check(error)
        }
    }

    // MARK: What it asks for

    private static func checkTarget(_ request: Request) {
        let length = request.head.path?.utf8.count ?? 0
        precondition(request.uri.path.utf8.count <= max(1, length))
        for part in request.uri.path.split(separator: "/") {
            if let decoded = String(part).removingPercentEncoding {
                precondition(decoded.utf8.count <= part.utf8.count)
            }
        }
        do {
            var query = try QueryReader(request)
            for name in ["a", "q"] {
                let bytes = try query.text(name)?.utf8.count ?? 0
                precondition(bytes <= min(8_192, length), "what is unescaped is no longer")
            }
            _ = try query.integer("limit", in: 1...500)
            _ = try query.time("since")
            try query.refuseRest()
        } catch {
            HTTPHeads.check(error)
        }
    }
}
