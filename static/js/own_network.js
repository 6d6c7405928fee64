// A compose file with one of its external networks made the stack's own, the rest of the text as it was.
// "external: true" (or a block of it) under the network goes; containers may join it, as they could before.
const EXTERNAL = /\bexternal:\s*(true|\{[^}]*\})/;

const bare = (text) => text.replace(/["']/g, "");

export function withOwnNetwork(compose, name) {
  const kept = [];
  let section = false, network = -1, block = -1;
  for (const line of compose.split("\n")) {
    const indent = line.search(/\S/), text = line.trim();
    if (indent < 0 || text.startsWith("#")) { kept.push(line); continue; }
    if (indent === 0) { section = text.startsWith("networks:"); network = block = -1; }
    if (!section || indent === 0) { kept.push(line); continue; }
    if (network < 0 && bare(text).startsWith(`${name}: {`)) { kept.push(line.replace(EXTERNAL, "attachable: true")); continue; }
    if (network < 0 || indent <= network) network = bare(text) === `${name}:` ? indent : -1;
    if (block >= 0 && indent > block) continue;
    block = -1;
    if (network >= 0 && indent > network && text.startsWith("external:")) {
      block = text === "external:" ? indent : -1;
      kept.push(`${" ".repeat(indent)}attachable: true`);
    } else kept.push(line);
  }
  return kept.join("\n");
}
