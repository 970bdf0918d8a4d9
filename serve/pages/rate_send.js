// Sends a rating, asks for the server's token where it wants one, and says what became of it.
import { $ } from "/dom.js";
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

function request(path, value) {
  const headers = { "Content-Type": "application/json" }, token = sessionStorage.getItem(KEY);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (value === null) return fetch(path, { method: "DELETE", headers });
  return fetch(path, { method: "PUT", headers, body: JSON.stringify({ rating: value }) });
}

// PUT, or DELETE for null. Returns whether the rating counts only later; throws a sentence if it was not taken.
export async function send(path, value) {
  for (;;) {
    const answer = await request(path, value).catch(() => {
      throw new Error("The server does not answer; the rating was not taken. Try again in a moment.");
    });
    if (answer.ok) return answer.status === 202;
    const problem = await answer.json().catch(() => ({ detail: `the server answered ${answer.status}` }));
    if (answer.status !== 401) throw new Error(spoken(problem));
    sessionStorage.removeItem(KEY);
    const token = await ask(problem);
    if (token === null) throw new Error("Nothing was rated: the server's token is missing.");
    sessionStorage.setItem(KEY, token);
  }
}
