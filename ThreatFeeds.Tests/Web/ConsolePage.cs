using System.Collections.Concurrent;
using Microsoft.Playwright;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Web;

/// <summary>A page of the console that remembers what the browser complained about: script errors, refused resources, violations of the content security policy.</summary>
internal sealed class ConsolePage : IAsyncDisposable
{
    private readonly AppFixture _app;
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _complaints = new();

    public ConsolePage(AppFixture app, IBrowserContext context, IPage page)
    {
        (_app, _context, Page) = (app, context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                _complaints.Enqueue($"{page.Url}: {message.Text}");
            }
        };
        page.PageError += (_, error) => _complaints.Enqueue($"{page.Url}: {error}");
    }

    public IPage Page { get; }

    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Opens a page of the console and waits until it answers to clicks.</summary>
    public async Task OpenAsync(string path)
    {
        await Page.GotoAsync(new Uri(_app.Address, path).ToString());
        await Page.WaitForSelectorAsync(".app[data-interactive=true]");
    }

    public ILocator Heading(string text) => Page.GetByRole(AriaRole.Heading, new() { Name = text, Exact = true });

    public ILocator Button(string text) => Page.GetByRole(AriaRole.Button, new() { Name = text, Exact = true });

    public ILocator Link(string text) => Page.GetByRole(AriaRole.Link, new() { Name = text, Exact = true });

    public ILocator Input(string label) => Page.GetByLabel(label, new() { Exact = true });

    /// <summary>Chooses in a list that opens.</summary>
    public async Task ChooseAsync(string label, string option)
    {
        await Input(label).ClickAsync();
        await Page.GetByRole(AriaRole.Option, new() { Name = option }).ClickAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Option)).ToHaveCountAsync(0);
    }

    /// <summary>No page is wider than the window.</summary>
    public async Task AssertNothingScrollsSidewaysAsync() =>
        Assert.True(await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth") <= 0, $"{Page.Url} scrolls sideways.");

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
