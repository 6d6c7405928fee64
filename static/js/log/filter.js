// The filter of the log viewer. Terms are separated by spaces and must all match: a word, "several words",
// /a regular expression/; with "!" before it a term must not match.
const TERM = /(!?)(?:\/((?:\\.|[^/\\])+)\/|"([^"]+)"|(\S+))/g;

function test(expression, phrase, word) {
  if (expression !== undefined) {
    const pattern = new RegExp(expression, "i");
    return (text) => pattern.test(text);
  }
  const wanted = (phrase ?? word).toLowerCase();
  return (text) => text.toLowerCase().includes(wanted);
}

// A function of a line's text, or an Error that says what is wrong with an expression.
export function parseFilter(input, invert) {
  const terms = [];
  for (const [, not, expression, phrase, word] of input.matchAll(TERM)) {
    try {
      const matches = test(expression, phrase, word);
      terms.push(not ? (text) => !matches(text) : matches);
    } catch (error) {
      return new Error(`/${expression}/ is not a regular expression: ${error.message.replace(/^.*: /, "")}`);
    }
  }
  if (!terms.length) return () => true;
  return (text) => terms.every((term) => term(text)) !== invert;
}
