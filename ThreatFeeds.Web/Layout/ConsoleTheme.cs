using MudBlazor;

namespace ThreatFeeds.Web.Layout;

/// <summary>
/// The look of the console, in a light and a dark palette. Both are sent with every page and the attribute <c>data-theme</c> of its root says which one holds
/// (<c>theme.js</c>), so that neither the server nor a reload is needed to follow the system, and nothing flashes. What the library has no place for
/// (grounds of states, severities, sparklines) is derived or added in <c>console.css</c>.
/// </summary>
internal static class ConsoleTheme
{
    private static readonly string[] Text = ["Inter", "system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"];

    /// <summary>Holds unless the other does.</summary>
    public static MudTheme Light { get; } = Within(":root");

    public static MudTheme Dark { get; } = Within(":root[data-theme=dark]");

    private static MudTheme Within(string scope) => new()
    {
        PseudoCss = new PseudoCss { Scope = scope },
        PaletteLight = Lights(),
        PaletteDark = Darks(),
        Typography = Letters(),
        Shadows = Flat(),
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "4px", DrawerWidthLeft = "188px", AppbarHeight = "48px" },
    };

    private static PaletteLight Lights() => new()
    {
        Background = "#f6f7f9", Surface = "#ffffff", AppbarBackground = "#ffffff", DrawerBackground = "#ffffff", BackgroundGray = "#f0f2f5", TableHover = "#f0f2f5", TableStriped = "#f0f2f5",
        TextPrimary = "#0f1728", TextSecondary = "#566275", TextDisabled = "#566275", AppbarText = "#0f1728", DrawerText = "#566275", DrawerIcon = "#566275", ActionDefault = "#566275", ActionDisabled = "#8894a6",
        Divider = "#e2e6ec", DividerLight = "#e2e6ec", TableLines = "#e2e6ec", LinesDefault = "#c6cdd8", LinesInputs = "#8894a6", Skeleton = "#e2e6ec",
        Primary = "#1d55e5", PrimaryContrastText = "#ffffff", Info = "#1d55e5", InfoContrastText = "#ffffff", Secondary = "#566275", SecondaryContrastText = "#ffffff",
        Success = "#08683f", SuccessContrastText = "#ffffff", Warning = "#8a4a00", WarningContrastText = "#ffffff", Error = "#a81b16", ErrorContrastText = "#ffffff",
        Dark = "#0f1728", DarkContrastText = "#f6f7f9", OverlayDark = "rgba(15,23,40,0.45)",
    };

    private static PaletteDark Darks() => new()
    {
        Background = "#0b0f16", Surface = "#11171f", AppbarBackground = "#11171f", DrawerBackground = "#11171f", BackgroundGray = "#1a222d", TableHover = "#1a222d", TableStriped = "#1a222d",
        TextPrimary = "#e7ebf2", TextSecondary = "#97a4b8", TextDisabled = "#97a4b8", AppbarText = "#e7ebf2", DrawerText = "#97a4b8", DrawerIcon = "#97a4b8", ActionDefault = "#97a4b8", ActionDisabled = "#5f6f86",
        Divider = "#222c39", DividerLight = "#222c39", TableLines = "#222c39", LinesDefault = "#3a4758", LinesInputs = "#5f6f86", Skeleton = "#222c39",
        Primary = "#82a7ff", PrimaryContrastText = "#0b1220", Info = "#82a7ff", InfoContrastText = "#0b1220", Secondary = "#97a4b8", SecondaryContrastText = "#0b1220",
        Success = "#62d49b", SuccessContrastText = "#0b1220", Warning = "#f2bd6d", WarningContrastText = "#0b1220", Error = "#ff8d85", ErrorContrastText = "#0b1220",
        Dark = "#e7ebf2", DarkContrastText = "#0b0f16", OverlayDark = "rgba(4,7,12,0.5)",
    };

    private static Typography Letters()
    {
        var letters = new Typography { Default = new DefaultTypography { FontFamily = Text } };
        foreach (BaseTypography body in (BaseTypography[])[letters.Default, letters.Body1, letters.Body2, letters.Subtitle1])
        {
            Set(body, 14, 20, 400);
        }
        Set(letters.H1, 18, 24, 650);
        foreach (BaseTypography head in (BaseTypography[])[letters.H2, letters.H3, letters.H4, letters.H6, letters.Subtitle2])
        {
            Set(head, 14, 20, 650);
        }
        Set(letters.H5, 20, 26, 600);
        Set(letters.Button, 13, 20, 550);
        Set(letters.Caption, 12, 16, 400);
        Set(letters.Overline, 12, 16, 650);
        return letters;
    }

    private static void Set(BaseTypography letters, int size, int line, int weight)
    {
        letters.FontFamily = Text;
        letters.FontSize = $"{size}px";
        letters.LineHeight = $"{line}px";
        letters.FontWeight = $"{weight}";
        letters.LetterSpacing = "normal";
        letters.TextTransform = "none";
    }

    /// <summary>Nothing is raised; what floats has the one shadow of <c>console.css</c>.</summary>
    private static Shadow Flat() => new() { Elevation = [.. Enumerable.Repeat("none", 26)] };
}
