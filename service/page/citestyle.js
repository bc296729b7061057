// The style of formatted references, everywhere on the page; kept in this browser.

export const STYLES = [["harvard", "Harvard"], ["apa", "APA"], ["chicago", "Chicago"], ["mla", "MLA"], ["ieee", "IEEE"]];
const KEY = "adfontes.style";
let chosen = read();

export const chosenStyle = () => chosen;

export function setStyle(style) {
  chosen = style;
  try {
    localStorage.setItem(KEY, style);
  } catch {
    // forgotten when the page is left
  }
}

function read() {
  try {
    const found = localStorage.getItem(KEY);
    return STYLES.some(([name]) => name === found) ? found : STYLES[0][0];
  } catch {
    return STYLES[0][0];
  }
}
