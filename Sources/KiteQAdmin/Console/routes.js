// Which address is which page.

import { audit } from "./page-audit.js";
import { bindings } from "./page-bindings.js";
import { brokers } from "./page-brokers.js";
import { clients } from "./page-clients.js";
import { configuration } from "./page-configuration.js";
import { deadLetter } from "./page-dead-letter.js";
import { deadLetters } from "./page-dead-letters.js";
import { find } from "./page-find.js";
import { group } from "./page-group.js";
import { groups } from "./page-groups.js";
import { message } from "./page-message.js";
import { messages } from "./page-messages.js";
import { overview } from "./page-overview.js";
import { shards } from "./page-shards.js";
import { topic } from "./page-topic.js";
import { topics } from "./page-topics.js";
import { transactions } from "./page-transactions.js";

export const routes = [
  ["", overview],
  ["groups", groups],
  ["groups/:group", group],
  ["topics", topics],
  ["topics/:topic", topic],
  ["messages", messages],
  ["messages/:id", message],
  ["dead-letters", deadLetters],
  ["dead-letters/:letter", deadLetter],
  ["transactions", transactions],
  ["brokers", brokers],
  ["shards", shards],
  ["clients", clients],
  ["bindings", bindings],
  ["audit", audit],
  ["configuration", configuration],
  ["find/:text", find],
];
