import HTTPTypes
import Hummingbird

/// The console's files, which are part of the program. There is no path to follow: a name is in the list, or it is not found.
struct ConsoleRoutes {
    struct File: Sendable {
        var contentType: String
        var bytes: [UInt8]

        init(_ contentType: String, _ bytes: [UInt8]) {
            self.contentType = contentType
            self.bytes = bytes
        }
    }

    func add(to router: RouterGroup<AdminContext>) {
        router.get("/") { _, _ in Self.toConsole }
        let console = router.group("console")
        for (name, file) in ConsoleFiles.all {
            let body = ByteBuffer(bytes: file.bytes)
            let isIndex = name == "index.html"
            console.get(RouterPath(isIndex ? "/" : name)) { request, _ in
                // Without the slash its files would be looked for beside the folder.
                if isIndex, !request.uri.path.hasSuffix("/") { return Self.toConsole }
                // A page of an older version must not run with the scripts of a newer one.
                return Response(
                    status: .ok, headers: [.contentType: file.contentType, .cacheControl: "no-cache"],
                    body: .init(byteBuffer: body))
            }
        }
    }

    private static let toConsole = Response(status: .seeOther, headers: [.location: "/console/"])
}
