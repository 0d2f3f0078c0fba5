// Keys, menus and small courtesies. Nothing here knows the pages: they mark what is meant with data- attributes.
const typing = element => element?.closest?.('input:not([type=checkbox]), textarea, select, [contenteditable]');
const rows = () => [...document.querySelectorAll('[data-row]')].filter(row => row.offsetParent);

function move(step) {
  const all = rows();
  if (!all.length) return;
  const here = all.indexOf(document.activeElement?.closest?.('[data-row]'));
  const shown = all.findIndex(row => row.classList.contains('sel'));
  const from = here >= 0 ? here : shown;
  const to = from < 0 ? 0 : Math.min(all.length - 1, Math.max(0, from + step));
  all[to].querySelector('[data-open]')?.focus();
  all[to].scrollIntoView({ block: 'nearest' });
}

// What was focused within a menu that closes would be nowhere; a dialog that was opened from it gives the focus back to its button.
const closeMenus = except => document.querySelectorAll('details.menu[open]').forEach(menu => {
  if (menu === except) return;
  if (menu.contains(document.activeElement)) menu.querySelector('summary').focus();
  menu.open = false;
});

document.addEventListener('keydown', event => {
  if (event.key === 'Enter' && event.target.dataset?.enter === 'change') {
    event.preventDefault();
    event.target.dispatchEvent(new Event('change', { bubbles: true }));
    return;
  }
  if (event.key === 'Escape') {
    const menu = document.querySelector('details.menu[open]');
    if (menu) { menu.open = false; menu.querySelector('summary').focus(); return; }
    if (!typing(event.target) && !document.querySelector('.mud-dialog, .mud-popover-open, dialog[open]')) document.querySelector('[data-close]')?.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector('.mud-dialog, .mud-popover-open, dialog[open]')) return;
  const act = {
    '/': () => document.getElementById('find')?.focus(),
    '?': () => document.getElementById('keys')?.showModal(),
    j: () => move(1),
    k: () => move(-1),
    x: () => document.activeElement?.closest?.('[data-row]')?.querySelector('input[type=checkbox]')?.click(),
    a: () => document.querySelector('[data-key=a]')?.click(),
    d: () => document.querySelector('[data-key=d]')?.click(),
  }[event.key];
  if (act) { event.preventDefault(); act(); }
});

document.addEventListener('click', event => {
  if (event.target.closest('[data-reload]')) { event.preventDefault(); location.reload(); return; }
  const menu = event.target.closest('details.menu');
  // What is there to be read stays until it is closed or left.
  closeMenus(event.target.closest('summary, .says') && !event.target.closest('a') ? menu : null);
  // A row opens where nothing else in it was meant; selected text is not a click.
  const row = event.target.closest('[data-row]');
  if (row && !event.target.closest('a, button, input, label, details, summary') && !getSelection().toString()) row.querySelector('[data-open]')?.click();
});
