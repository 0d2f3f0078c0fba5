using System.Globalization;
using System.Net;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Reads one setting at a time and names its key when the value cannot be used.</summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    public string? Text(string key) => string.IsNullOrWhiteSpace(configuration[key]) ? null : configuration[key]!.Trim();

    public bool Flag(string key) => Text(key) switch
    {
        null => false,
        string text when bool.TryParse(text, out bool value) => value,
        string text => throw new SettingsException($"{key} is '{text}'; use true or false."),
    };

    public int Whole(string key, int standard, int least, int most) => Text(key) switch
    {
        null => standard,
        string text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most => value,
        string text => throw new SettingsException($"{key} is '{text}'; use a whole number from {least} to {most}."),
    };

    public long? Bytes(string key, long least) => Text(key) switch
    {
        null => null,
        string text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= least => value,
        string text => throw new SettingsException($"{key} is '{text}'; use a number of bytes, at least {least}."),
    };

    /// <summary>The first choice is the default; case does not matter.</summary>
    public string OneOf(string key, params string[] choices)
    {
        string? text = Text(key);
        return text is null
            ? choices[0]
            : choices.FirstOrDefault(c => c.Equals(text, StringComparison.OrdinalIgnoreCase))
                ?? throw new SettingsException($"{key} is '{text}'; use {string.Join(" or ", choices)}.");
    }

    /// <summary>Becomes part of index names, so it holds lower-case letters, digits, dots and hyphens only.</summary>
    public string Name(string key, string standard)
    {
        string text = Text(key) ?? standard;
        bool good = text.Length <= 100 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.') && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1]);
        return good ? text : throw new SettingsException($"{key} is '{text}'; use at most 100 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends.");
    }

    /// <summary>A list, as <c>KEY:0</c>, <c>KEY:1</c>… or in one value with commas, semicolons or spaces between.</summary>
    public IReadOnlyList<string> List(string key)
    {
        char[] separators = [',', ';', ' '];
        IEnumerable<string?> values = configuration.GetSection(key).GetChildren().Select(c => c.Value).Prepend(configuration[key]);
        return [.. values.SelectMany(v => (v ?? "").Split(separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
    }

    public IReadOnlyList<string> Networks(string key)
    {
        IReadOnlyList<string> networks = List(key);
        string? bad = networks.FirstOrDefault(n => !IPNetwork.TryParse(n, out _));
        return bad is null ? networks : throw new SettingsException($"{key} holds '{bad}'; use networks such as 10.0.0.0/8, without host bits.");
    }

    public IReadOnlyList<string> Hosts(string key)
    {
        IReadOnlyList<string> hosts = List(key);
        string? bad = hosts.FirstOrDefault(h => h.Contains('*', StringComparison.Ordinal) || Uri.CheckHostName(h.Trim('[', ']')) == UriHostNameType.Unknown);
        return bad is null ? hosts : throw new SettingsException($"{key} holds '{bad}'; use host names or addresses without scheme, port or wildcard.");
    }

    public Uri? Address(string key) => Text(key) switch
    {
        null => null,
        string text when Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" => new Uri(text),
        string => throw new SettingsException($"{key} is not an http or https address."),
    };

    public string? ExistingFile(string key) => Text(key) switch
    {
        null => null,
        string text when File.Exists(text) => Path.GetFullPath(text),
        string text => throw new SettingsException($"{key} names '{text}', which does not exist."),
    };

    /// <summary>Every address the server would listen on, whichever setting says so.</summary>
    public IReadOnlyList<string> Addresses()
    {
        IEnumerable<string?> endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(e => e["Url"]);
        string[] urls = (Text("urls") ?? Settings.DefaultUrl).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return [.. urls, .. endpoints.OfType<string>()];
    }
}
