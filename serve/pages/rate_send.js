// Sends a rating, asks for the server's token where it wants one, and says what became of it.
import { $, json } from "/dom.js";
import { spoken } from "/rate_control.js";

const KEY = "trivet-token";

export function tell(sentence, failed = false) {
  $("rate-bar").hidden = false;
  $("rate-status").textContent = sentence;
  $("rate-status").classList.toggle("failed", failed);
}

// The token that somebody types, or null if they would rather not.
function ask(problem) {
  const form = $("rate-ask"), before = document.activeElement;
  tell(spoken(problem), true);
  form.hidden = false;
  $("rate-token").value = "";
  $("rate-token").focus();
  return new Promise((resolve) => {
    const done = (token) => {
      form.hidden = true;
      before?.focus();
      resolve(token);
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      done($("rate-token").value);
    };
    $("rate-cancel").onclick = () => done(null);
  });
}

function request(method, path, body) {
  const headers = { "Content-Type": "application/json" }, token = sessionStorage.getItem(KEY);
  if (token) headers.Authorization = `Bearer ${token}`;
  return fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

// What a user gives an item: a value, null to take it back, or "more", one more play. Returns whether it counts only later, and
// the value that stands now; throws a sentence if it was not taken.
export async function send(user, item, value) {
  const shown = `?model=${$("rate").dataset.model}`; // in another model's data the same id may be another item
  const ratings = `/api/v1/users/${encodeURIComponent(user)}/ratings/${encodeURIComponent(item)}${shown}`;
  const taken = value === "more"
    ? await admitted("POST", `/api/v1/users/${encodeURIComponent(user)}/plays${shown}`, [{ item_id: item }])
    : await admitted(value === null ? "DELETE" : "PUT", ratings, value === null ? undefined : { rating: value });
  return { later: taken.status === 202, value: (await json(taken)).ratings[0]?.rating };
}

// The answer to a change, after the token was asked for where it is wanted. A play may have been added by a server whose answer
// did not come, and is not to be sent twice unseen.
async function admitted(method, path, body) {
  for (;;) {
    const answer = await request(method, path, body).catch(() => {
      throw new Error(method === "POST" ? "The server does not answer; reload the page to see whether the play was added."
        : "The server does not answer; the rating was not taken. Try again in a moment.");
    });
    if (answer.ok) return answer;
    const problem = await json(answer).catch(() => ({ detail: `the server answered ${answer.status}` }));
    if (answer.status !== 401) throw new Error(spoken(problem));
    sessionStorage.removeItem(KEY);
    const token = await ask(problem);
    if (token === null) throw new Error("Nothing was rated: the server's token is missing.");
    sessionStorage.setItem(KEY, token);
  }
}
