using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using ThreatFeeds.Indicators;

namespace ThreatFeeds.Pulling;

/// <summary>Section <c>Pulling</c>.</summary>
public sealed class PullingOptions : IValidatableObject
{
    /// <summary>CIDRs of loopback, private and unique-local networks that feeds may be pulled from. Unset: none (the demo adds loopback).</summary>
    [ConfigurationKeyName("Pulling:AllowedNetworks")]
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>URL of an HTTP proxy, asked by CONNECT for addresses judged here. Unset: none; the environment's proxy variables are not read.</summary>
    [ConfigurationKeyName("Pulling:Proxy")]
    public string? Proxy { get; set; }

    /// <summary>File with <c>user:password</c> for the proxy. Unset: none.</summary>
    [ConfigurationKeyName("Pulling:ProxyCredentialsFile")]
    public string? ProxyCredentialsFile { get; set; }

    /// <summary>PEM file with certificate authorities trusted in addition to the system's. Unset: the system's only.</summary>
    [ConfigurationKeyName("Pulling:CaFile")]
    public string? CaFile { get; set; }

    /// <summary>Largest body in bytes, as received and after decompression. At least 1; unset: 1 GiB.</summary>
    [ConfigurationKeyName("Pulling:MaxBytes")]
    [Range(typeof(long), "1", "9223372036854775807")]
    public long MaxBytes { get; set; } = 1L << 30;

    /// <summary>Most bytes of all bodies being read at once, pulls and previews together. At least <see cref="MaxBytes"/>; unset: four times that.</summary>
    [ConfigurationKeyName("Pulling:MaxSpoolBytes")]
    [Range(typeof(long), "1", "9223372036854775807")]
    public long? MaxSpoolBytes { get; set; }

    /// <summary>Bodies fetched and read at once, pulls and previews together.</summary>
    [ConfigurationKeyName("Pulling:MaxFetches")]
    [Range(1, 256)]
    public int MaxFetches { get; set; } = 16;

    /// <summary>Bytes of memory that the different indicators of one body may take, each with <see cref="IndicatorSetBuilder.EntryOverhead"/>; an array can hold no more than the maximum.</summary>
    [ConfigurationKeyName("Pulling:MaxIndicatorBytes")]
    [Range(1 << 20, 2_147_483_591)]
    public int MaxIndicatorBytes { get; set; } = (int)IndicatorSetBuilder.DefaultMaxBytes;

    /// <summary>Name resolution, connection and TLS; 10 s. This and the time-outs below are not for operators: a server slower than them is down.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>From request to the answer's headers; 30 s.</summary>
    public TimeSpan FirstByteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Between two pieces of the body; 30 s.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Fetching, redirects and unpacking included; 5 min.</summary>
    public TimeSpan TotalTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Fetching and reading of a pull; 10 min.</summary>
    public TimeSpan PullTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Fetching and reading of a preview, behind which somebody waits; 30 s.</summary>
    public TimeSpan PreviewTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a preview waits when as much is fetched as may be; 5 s.</summary>
    public TimeSpan PreviewPatience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The networks of <see cref="AllowedNetworks"/>.</summary>
    internal IReadOnlyList<IPNetwork> Networks => [.. AllowedNetworks.Select(IPNetwork.Parse)];

    internal long SpoolBytes => MaxSpoolBytes ?? (MaxBytes < long.MaxValue / 4 ? 4 * MaxBytes : long.MaxValue);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (string network in AllowedNetworks.Where(n => !IPNetwork.TryParse(n, out _)))
        {
            yield return new ValidationResult($"Pulling:AllowedNetworks holds '{network}'; use networks such as 10.0.0.0/8, without host bits.");
        }
        if (Proxy is not null && ProxyProblem(Proxy) is { } wrong)
        {
            yield return new ValidationResult($"Pulling:Proxy {wrong}.");
        }
        if (ProxyCredentialsFile is not null && (Proxy is null ? "is of no use without Pulling:Proxy; write it like http://proxy.example:3128" : ProxyCredentials.Problem(ProxyCredentialsFile)) is { } unusable)
        {
            yield return new ValidationResult($"Pulling:ProxyCredentialsFile names '{ProxyCredentialsFile}', which {unusable}.");
        }
        if (MaxSpoolBytes < MaxBytes)
        {
            yield return new ValidationResult($"Pulling:MaxSpoolBytes is smaller than Pulling:MaxBytes, so that no body of that size could be read; use at least {MaxBytes}, or lower Pulling:MaxBytes.");
        }
        if (CaFile is not null && CaFileProblem(CaFile) is { } problem)
        {
            yield return new ValidationResult($"Pulling:CaFile names '{CaFile}', which {problem}.");
        }
    }

    // Never shown: it may hold a password.
    private static string? ProxyProblem(string text) =>
        !Uri.TryCreate(text, UriKind.Absolute, out Uri? proxy) || proxy.Scheme is not ("http" or "https") ? "is not an http or https address; write it like http://proxy.example:3128"
        : proxy.UserInfo.Length > 0 ? "holds user information; write it like http://proxy.example:3128, and put 'user:password' into the file of Pulling:ProxyCredentialsFile"
        : null;

    private static string? CaFileProblem(string file)
    {
        if (!File.Exists(file))
        {
            return "does not exist";
        }
        try
        {
            X509Certificate2Collection authorities = [];
            authorities.ImportFromPemFile(file);
            return authorities.Count == 0 ? "holds no certificate in PEM" : null;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return "cannot be read as certificates in PEM";
        }
    }
}
