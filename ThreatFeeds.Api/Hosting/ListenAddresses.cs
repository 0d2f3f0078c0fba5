using System.Net;

namespace ThreatFeeds.Api.Hosting;

/// <summary>There is no login, so the process stays on this machine unless the operator says otherwise.</summary>
internal static class ListenAddresses
{
    /// <summary>What of the addresses that the server would listen on, whichever setting says so, cannot be.</summary>
    public static IEnumerable<string> Problems(HttpOptions http, IConfiguration configuration)
    {
        IEnumerable<string?> endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(e => e["Url"]);
        foreach (string url in http.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Concat(endpoints.OfType<string>()))
        {
            if (TryParse(url) is not { } address)
            {
                yield return $"urls holds '{url}'; use an address such as {HttpOptions.DefaultUrl}.";
            }
            else if (!http.AllowOpen && !address.IsUnixPipe && !IsLoopback(address.Host))
            {
                yield return $"'{url}' is reachable from other machines, and ThreatFeeds has no login. Listen on localhost, " +
                    "or set Http:AllowOpen=true when something before it decides who may come in (and name its host in Http:AllowedHosts).";
            }
        }
    }

    /// <summary><c>localhost</c> or an address of this machine's loopback, with or without brackets.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address) && IsPlain(host));

    /// <summary>.NET reads 127.1 and 0x7f000001 as addresses; a browser would not send them.</summary>
    private static bool IsPlain(string host) => host.StartsWith('[') || host.Contains(':', StringComparison.Ordinal) || host.Split('.') is { Length: 4 } parts && parts.All(p => p.All(char.IsAsciiDigit));

    private static BindingAddress? TryParse(string url)
    {
        try
        {
            return BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
