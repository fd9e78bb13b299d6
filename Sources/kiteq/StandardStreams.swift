import Glibc

/// Standard error, written at once and whole: lines of several threads do not mix.
enum StandardError {
    static func write(_ text: String) {
        FileDescriptorWriter.write(text, to: STDERR_FILENO)
    }
}

/// Standard output, written at once: a line is there when the next step begins, in a pipe too.
enum StandardOutput {
    static func print(_ line: String) { write(line + "\n") }

    static func write(_ text: String) {
        FileDescriptorWriter.write(text, to: STDOUT_FILENO)
    }
}

private enum FileDescriptorWriter {
    /// A stream that takes no more (closed, or its reader gone) loses what is written: there is nobody to tell.
    static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written < 0 {
                    if errno == EINTR { continue }
                    return
                }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
        }
    }
}
