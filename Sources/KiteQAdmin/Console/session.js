// The token is kept for this tab only and goes with it.

const key = "kiteq.token";
let memory = null;

export function storedToken() {
  try {
    return sessionStorage.getItem(key) ?? memory;
  } catch {
    return memory;
  }
}

/** Keeps the token, or forgets it (null). Where storage is forbidden it lives until the page is loaded anew. */
export function keepToken(token) {
  memory = token;
  try {
    if (token === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, token);
  } catch {
    // It is in memory.
  }
}

/** What is wrong with a text as a token, or null. A header can carry visible ASCII only. */
export function tokenFault(text) {
  if (text === "") return "Type or paste a token.";
  if (!/^[\x21-\x7e]+$/.test(text)) return "A token has no spaces, and only letters, digits and signs of ASCII.";
  return null;
}
