/// The files of the folder Console by their names.
enum ConsoleFiles {
    static let all: [String: ConsoleRoutes.File] = [
        "index.html": .init(contentType: html, bytes: PackageResources.index_html)
    ]

    private static let html = "text/html; charset=utf-8"
}
