using System.Net;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Pulling;

/// <summary>Section <c>Pulling</c>. Checked at start: a wrong value stops the process and says which.</summary>
public sealed class PullingOptions
{
    /// <summary>CIDRs of loopback, private and unique-local networks that feeds may be pulled from; none by default. Comma-separated or as a list.</summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>URL of an HTTP proxy; none by default, and the environment's proxy variables are not read. Names are then resolved by the proxy.</summary>
    public string? Proxy { get; set; }

    /// <summary>PEM file with certificate authorities trusted in addition to the system's.</summary>
    public string? CaFile { get; set; }

    /// <summary>Largest body in bytes, as received and after decompression; default 1 GiB.</summary>
    public long MaxBytes { get; set; } = 1L << 30;

    /// <summary>Name resolution, connection and TLS; default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>From request to the answer's headers; default 30 s.</summary>
    public TimeSpan FirstByteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Between two pieces of the body; default 30 s.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Everything, redirects included; default 5 min.</summary>
    public TimeSpan TotalTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The networks of <see cref="AllowedNetworks"/>.</summary>
    internal IReadOnlyList<IPNetwork> Networks => [.. Split(AllowedNetworks).Select(IPNetwork.Parse)];

    /// <summary>What is wrong, or null.</summary>
    public string? Problem()
    {
        foreach (string network in Split(AllowedNetworks))
        {
            if (!IPNetwork.TryParse(network, out _))
            {
                return $"Pulling:AllowedNetworks holds '{network}', which is no network; write it like 10.0.0.0/8.";
            }
        }
        if (!string.IsNullOrEmpty(Proxy) && (!Uri.TryCreate(Proxy, UriKind.Absolute, out Uri? proxy) || (proxy.Scheme != Uri.UriSchemeHttp && proxy.Scheme != Uri.UriSchemeHttps)))
        {
            return $"Pulling:Proxy is '{Proxy}'; write it like http://proxy.example:3128.";
        }
        if (!string.IsNullOrEmpty(CaFile) && !File.Exists(CaFile))
        {
            return $"Pulling:CaFile is '{CaFile}', which does not exist.";
        }
        if (MaxBytes <= 0)
        {
            return "Pulling:MaxBytes must be more than 0.";
        }
        return new[] { ConnectTimeout, FirstByteTimeout, IdleTimeout, TotalTimeout }.Any(t => t <= TimeSpan.Zero) ? "The time-outs of Pulling must be more than 0." : null;
    }

    private static IEnumerable<string> Split(IEnumerable<string> values) =>
        values.SelectMany(v => v.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
