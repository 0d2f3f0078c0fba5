// Loaded before anything is drawn, so that no theme flashes: the one chosen and remembered, else the system's. Works without a connection to the server.
(() => {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null;
  try { chosen = localStorage.getItem('theme'); } catch { /* storage refused: follow the system */ }
  const show = () => { root.dataset.theme = chosen === 'light' || chosen === 'dark' ? chosen : system.matches ? 'dark' : 'light'; };
  show();
  system.addEventListener('change', show);
  document.addEventListener('click', event => {
    if (!event.target.closest?.('[data-theme-toggle]')) return;
    chosen = root.dataset.theme === 'dark' ? 'light' : 'dark';
    show();
    try { localStorage.setItem('theme', chosen); } catch { /* not remembered */ }
  });
})();
