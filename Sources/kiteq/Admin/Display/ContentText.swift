import Foundation
import KiteQAdminClient
import KiteQCore

/// What a message says, for people: its properties, then its body in one line.
enum ContentText {
    static func lines(_ content: API.Content) -> [String] {
        var fields = FieldList()
        for property in content.properties.sorted(by: { $0.key < $1.key }) {
            fields.add("property", "\(property.key) = \(property.value)")
        }
        let size = "\(Figures.count(content.bodyBytes)) bytes\(content.isCut ? ", the first of them here" : "")"
        guard content.encoding != "text" else {
            fields.add("body", "text, \(size)")
            return fields.lines + [VisibleText.escaped(content.body)]
        }
        guard let bytes = Data(base64Encoded: content.body) else {
            fields.add("body", "\(content.encoding), not readable, \(size)")
            return fields.lines
        }
        fields.add("body", size)
        return fields.lines + ["0x\(MessageLine.hex(Array(bytes)))"]
    }
}
