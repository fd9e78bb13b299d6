// A table that is read page by page: its notice, the shards that it lacks, its rows and where it goes on.

import { h, renew } from "./dom.js";
import { pager, unreachableNote } from "./parts.js";
import { link } from "./router.js";
import { Table } from "./table.js";

export class Listing {
  element;
  #feed;

  /**
   * `load(parameters, signal)` gives { items, next, unreachable }; parameters has the cursor of the address. `segments` and
   * `kept` (the filter) make the addresses of the other pages. `below(page)` gives nodes under the table, `shown(page)`
   * is told of each page. The rest is the table's.
   */
  constructor(context, { every, load, segments, kept = {}, below, shown, ...tableOptions }) {
    const cursor = context.query.get("cursor");
    const table = new Table(tableOptions);
    const above = h("div", {});
    const after = h("div", {});
    this.#feed = context.feed({
      every,
      load: (signal) => load(cursor ? { cursor } : {}, signal),
      show: (page) => {
        table.show(page.items);
        table.element.hidden = page.items.length === 0 && Boolean(page.next);
        renew(above, unreachableNote(page.unreachable));
        const at = (next) => link(segments, { ...kept, cursor: next });
        renew(after, pager({ next: page.next, cursor, shown: page.items.length, at }), below?.(page) ?? null);
        shown?.(page);
      },
    });
    this.element = h("div", { class: "listing" }, this.#feed.notice, above, table.element, after);
  }

  refresh() {
    this.#feed.refresh();
  }
}
