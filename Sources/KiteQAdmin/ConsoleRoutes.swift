import HTTPTypes
import Hummingbird

/// The console's files, which are part of the program. There is no path to follow: a name is in the list, or it is not found.
struct ConsoleRoutes {
    struct File: Sendable {
        var contentType: String
        var bytes: [UInt8]
    }

    func add(to router: Router<AdminContext>) {
        router.get("/") { _, _ in Response(status: .seeOther, headers: [.location: "/console/"]) }
        router.get("console") { _, _ in Response(status: .seeOther, headers: [.location: "/console/"]) }
        let console = router.group("console")
        for (name, file) in ConsoleFiles.all {
            let body = ByteBuffer(bytes: file.bytes)
            console.get(RouterPath(name == "index.html" ? "/" : name)) { _, _ in
                // A page of an older version must not run with the scripts of a newer one.
                Response(
                    status: .ok, headers: [.contentType: file.contentType, .cacheControl: "no-cache"],
                    body: .init(byteBuffer: body))
            }
        }
    }
}
