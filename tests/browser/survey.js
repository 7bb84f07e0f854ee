// Everything about the page that keeps somebody from reading or using it, as a list of sentences.
() => {
  const problems = [];
  const all = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
  const show = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 120);
  const name = (element) =>
    element.getAttribute("aria-label") ||
    element.textContent.trim() ||
    element.querySelector("img[alt]")?.alt ||
    (element.getAttribute("aria-labelledby") && "labelled");

  const wide = document.documentElement.scrollWidth;
  if (wide > window.innerWidth) problems.push(`it is ${wide} px wide, the window ${window.innerWidth}`);
  const headings = all("h1").length;
  if (headings !== 1) problems.push(`it has ${headings} headings of the first level`);
  if (all("main").length !== 1) problems.push("it has not one main part");
  if (!document.title.replace("· Deploynix", "").trim()) problems.push("it has no title");

  for (const control of all("input:not([type=hidden]), select, textarea")) {
    if (!control.labels?.length && !name(control)) problems.push(`no label: ${show(control)}`);
  }
  for (const element of all("button, a[href], summary, [role=button]")) {
    if (!name(element)) problems.push(`no name: ${show(element)}`);
  }
  for (const link of all("a[href='#'], a:not([href])")) problems.push(`leads nowhere: ${show(link)}`);
  for (const image of all("img:not([alt])")) problems.push(`no alternative text: ${show(image)}`);
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) problems.push(`two are called #${id}`);
  for (const label of all("label[for]")) {
    if (!document.getElementById(label.htmlFor)) problems.push(`a label of nothing: ${show(label)}`);
  }
  return problems;
};
