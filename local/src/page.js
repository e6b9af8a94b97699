// Shows what is typed into the password fields of a form, when the box is ticked; without this script there is no box.
const box = document.querySelector("#show");
if (box) {
  box.closest("label").hidden = false;
  box.addEventListener("change", () => {
    for (const field of document.querySelectorAll("input[name=password], input[name=again]")) {
      field.type = box.checked ? "text" : "password";
    }
  });
}
