// Moves the panels of the list by pointer and keyboard, as the form's own buttons do without a script.
const list = document.querySelector(".arrange ol");
const live = document.querySelector(".live");

// The row that is lifted, and its index before.
let lifted;

const rowOf = (element) => element.closest("li");
const indexOf = (row) => [...list.children].indexOf(row);
const middleOf = (row) => row.getBoundingClientRect().top + row.offsetHeight / 2;

function announce(row, what) {
  const title = row.querySelector("label").textContent.trim();
  live.textContent = `${title} ${what} position ${indexOf(row) + 1} of ${list.children.length}.`;
}

// The neighbour moves, so that the row keeps focus and pointer.
function step(row, isUp) {
  const neighbour = isUp ? row.previousElementSibling : row.nextElementSibling;
  if (neighbour) row[isUp ? "after" : "before"](neighbour);
  row.scrollIntoView({ block: "nearest" });
}

function move(row, isUp) {
  step(row, isUp);
  announce(row, "is at");
}

function mark(row, isLifted) {
  row.classList.toggle("lifted", isLifted);
  row.querySelector(".handle").setAttribute("aria-pressed", isLifted);
}

function lift(row) {
  drop();
  lifted = { row, index: indexOf(row) };
  mark(row, true);
  announce(row, "lifted from");
}

function drop() {
  if (!lifted) return;
  mark(lifted.row, false);
  announce(lifted.row, "dropped at");
  lifted = undefined;
}

function cancel() {
  const { row, index } = lifted;
  while (indexOf(row) !== index) step(row, indexOf(row) > index);
  mark(row, false);
  announce(row, "put back at");
  lifted = undefined;
}

function follow(y) {
  const { row } = lifted;
  const isAbove = () => row.previousElementSibling && y < middleOf(row.previousElementSibling);
  const isBelow = () => row.nextElementSibling && y > middleOf(row.nextElementSibling);
  while (isAbove()) move(row, true);
  while (isBelow()) move(row, false);
}

list.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest(".handle");
  if (!handle || event.button !== 0 || !event.isPrimary) return;
  handle.setPointerCapture(event.pointerId);
  lift(rowOf(handle));
});
list.addEventListener("pointermove", (event) => {
  if (lifted && event.target.hasPointerCapture(event.pointerId)) follow(event.clientY);
});
list.addEventListener("pointerup", drop);
list.addEventListener("pointercancel", () => lifted && cancel());

list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const row = rowOf(button);
  if (button.name) {
    event.preventDefault();
    move(row, button.name === "up");
  } else if (event.detail === 0) {
    // A key, not the end of a drag.
    if (lifted) drop();
    else lift(row);
  }
});
list.addEventListener("keydown", (event) => {
  if (!lifted) return;
  if (event.key === "Escape") cancel();
  else if (event.key === "ArrowUp" || event.key === "ArrowDown") move(lifted.row, event.key === "ArrowUp");
  else return;
  event.preventDefault();
});
list.addEventListener("focusout", drop);

for (const element of document.querySelectorAll(".handle, #keys")) element.hidden = false;
