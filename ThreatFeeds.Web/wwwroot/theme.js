// Loaded before anything is drawn, so that a remembered theme never flashes. Works without a connection to the server.
(() => {
  const root = document.documentElement;
  const set = theme => { if (theme === 'light' || theme === 'dark') root.dataset.theme = theme; };
  try { set(localStorage.getItem('theme')); } catch { /* storage refused: follow the system */ }
  document.addEventListener('click', event => {
    if (!event.target.closest?.('[data-theme-toggle]')) return;
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    set(dark ? 'light' : 'dark');
    try { localStorage.setItem('theme', root.dataset.theme); } catch { /* not remembered */ }
  });
})();
