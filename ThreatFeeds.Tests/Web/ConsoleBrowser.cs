using Microsoft.Playwright;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Web;

/// <summary>One Chromium for every test that needs a browser; each test has a profile of its own in it.</summary>
public sealed class ConsoleBrowser : IAsyncLifetime
{
    internal const string Tests = "browser";

    /// <summary>In milliseconds. Generous, because two busy cores draw slowly; nothing waits that long when all is well.</summary>
    private const float Patience = 30_000;

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Where Chromium is; null: nowhere.</summary>
    internal static string? Executable { get; } = new[] { Environment.GetEnvironmentVariable("THREATFEEDS_TEST_CHROMIUM"), "/usr/bin/chromium" }.FirstOrDefault(File.Exists);

    public async Task InitializeAsync()
    {
        Assertions.SetDefaultExpectTimeout(Patience);
        if (Executable is null)
        {
            return; // The tests are skipped, or fail in CI.
        }
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Executable,
            // The tests may run as root, and nothing here may talk to the internet.
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    /// <summary>A page of a reader who has never been here.</summary>
    internal async Task<ConsolePage> NewPageAsync(AppFixture app, int width = 1440, int height = 900, ColorScheme theme = ColorScheme.Light)
    {
        IBrowser browser = _browser ?? throw new InvalidOperationException("Chromium is needed: install it, or name it in THREATFEEDS_TEST_CHROMIUM.");
        IBrowserContext context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = theme,
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(Patience);
        return new ConsolePage(app, context, await context.NewPageAsync());
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }
        _playwright?.Dispose();
    }
}

/// <summary>Tests with a browser run one after another.</summary>
[CollectionDefinition(ConsoleBrowser.Tests)]
public sealed class BrowserTests : ICollectionFixture<ConsoleBrowser>;

/// <summary>Needs Chromium; skipped where it is absent, never in CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = ConsoleBrowser.Executable is null && Environment.GetEnvironmentVariable("CI") != "true" ? "Chromium is not installed." : null;
}
