import Hummingbird

/// The API's own description.
struct DocumentRoutes {
    static let document = PackageResources.openapi_yaml

    func add(to routes: RouterGroup<AdminContext>) {
        let body = ByteBuffer(bytes: Self.document)
        routes.get("openapi.yaml") { _, _ in
            Response(status: .ok, headers: [.contentType: "application/yaml"], body: .init(byteBuffer: body))
        }
    }
}
