// The elements that both pages are made of. Texts are inserted as text, never as markup.

export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
};

export const byId = (id) => document.getElementById(id);

/** A message with links or buttons to go on. */
export const messageBox = (title, text, ...actions) => make('div', { class: 'message' },
  make('h2', { tabindex: '-1' }, title),
  make('p', {}, text),
  actions.length > 0 ? make('div', { class: 'gc-row' }, ...actions) : null);

export const link = (text, href, kind = 'gc-primary') => make('a', { class: kind, href }, text);

export const button = (text, act, kind = 'gc-primary') => {
  const element = make('button', { type: 'button', class: kind }, text);
  element.addEventListener('click', act);
  return element;
};

export const signInPath = (next) => `/login?next=${encodeURIComponent(next)}`;

export const formatNumber = (count) => count.toLocaleString('en');
