import KiteQCore

/// What the broker says of a publish before any store is asked.
enum PublishAdmission {
    /// Answered at once.
    case answered(PublishVerdict, feedback: String)
    /// Delivered from memory; answered at once.
    case fly(Message, Route, feedback: String)
    /// For the store. Half messages have no route yet, and count in the account where there is one.
    case stored(Message, Route?, countedBy: GroupAccount?)
}

/// What ``PublishGate`` says of a publish before it is known where it goes.
enum PublishCheck {
    case answered(PublishVerdict, feedback: String)
    case passed(CheckedPublish)
}
