import Foundation

/// What libFuzzer calls with each input; `KITEQ_FUZZ` names the parser that gets it. docs/development.md says how to run it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    target(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}

private let target: @Sendable ([UInt8]) -> Void = {
    let targets: [String: @Sendable ([UInt8]) -> Void] = [
        "packets": Packets.read, "first-bytes": FirstBytes.read, "http-heads": HTTPHeads.read,
        "groups-file": GroupsFiles.read, "tokens-file": TokensFiles.read,
    ]
    let name = getenv("KITEQ_FUZZ").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        fatalError("KITEQ_FUZZ must be one of \(targets.keys.sorted().joined(separator: ", "))")
    }
    return target
}()

/// What the package manager makes the program's start, and libFuzzer's own.
@_cdecl("kiteq_fuzz_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var (count, arguments) = (count, arguments)
    return runDriver(&count, &arguments, fuzz)
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ run: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt
