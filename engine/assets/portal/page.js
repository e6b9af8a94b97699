// Small things both pages are built with. Texts get in as text, never as markup.

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

/** A screen that says one thing and offers ways on. */
export const state = (title, text, ...ways) => make('div', { class: 'state' },
  make('h2', { tabindex: '-1' }, title),
  make('p', {}, text),
  ways.length > 0 ? make('div', { class: 'gc-row' }, ...ways) : null);

export const link = (text, href, kind = 'gc-primary') => make('a', { class: kind, href }, text);

export const button = (text, act, kind = 'gc-primary') => {
  const element = make('button', { type: 'button', class: kind }, text);
  element.addEventListener('click', act);
  return element;
};

export const signInAt = (next) => `/login?next=${encodeURIComponent(next)}`;

export const number = (count) => count.toLocaleString('en');
