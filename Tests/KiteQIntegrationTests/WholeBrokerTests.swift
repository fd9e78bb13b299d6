import Testing

/// Whole brokers, with clients, against faults of what they need and of those who use them. One after the other: they share
/// a database server, and some stop it.
@Suite(.serialized, .timeLimit(.minutes(5))) enum WholeBrokerTests {}
