using System.Net;

namespace ThreatFeeds.Api.Hosting;

/// <summary>There is no login, so the process stays on this machine unless the operator says otherwise.</summary>
internal static class ListenAddresses
{
    /// <exception cref="SettingsException">An address reaches beyond loopback and Http:AllowOpen is not set.</exception>
    public static void Check(HttpSettings http)
    {
        foreach (string url in http.Urls)
        {
            BindingAddress address = Parse(url);
            if (!http.AllowOpen && !address.IsUnixPipe && !IsLoopback(address.Host))
            {
                throw new SettingsException(
                    $"'{url}' is reachable from other machines, and ThreatFeeds has no login. Listen on localhost, " +
                    "or set Http:AllowOpen=true when something before it decides who may come in (and name its host in Http:AllowedHosts).");
            }
        }
    }

    /// <summary><c>localhost</c> or an address of this machine's loopback, with or without brackets.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address) && IsPlain(host));

    /// <summary>.NET reads 127.1 and 0x7f000001 as addresses; a browser would not send them.</summary>
    private static bool IsPlain(string host) => host.StartsWith('[') || host.Contains(':', StringComparison.Ordinal) || host.Split('.') is { Length: 4 } parts && parts.All(p => p.All(char.IsAsciiDigit));

    private static BindingAddress Parse(string url)
    {
        try
        {
            return BindingAddress.Parse(url);
        }
        catch (FormatException problem)
        {
            throw new SettingsException($"urls holds '{url}'; use an address such as {Settings.DefaultUrl}.", problem);
        }
    }
}
