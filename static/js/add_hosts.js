// The size of the boot volume is asked only for flavors without a disk of their own.

function show() {
  const flavor = document.getElementById("id_flavor");
  const volume = document.getElementById("volume");
  if (flavor && volume) volume.hidden = !flavor.selectedOptions[0]?.hasAttribute("data-diskless");
}

document.addEventListener("change", (event) => {
  if (event.target.id === "id_flavor") show();
});
