/// The administration's HTTP API as values: the schemas of KiteQAdmin's `openapi.yaml`, and the requests that yield them.
///
/// What a later broker adds is not seen here, and what has a fixed set of values is a text: an answer of a newer broker is
/// still shown.
package enum API {}
