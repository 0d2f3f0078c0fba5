using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;

namespace ThreatFeeds.Pulling;

/// <summary>Section <c>Pulling</c>.</summary>
public sealed class PullingOptions : IValidatableObject
{
    /// <summary>CIDRs of loopback, private and unique-local networks that feeds may be pulled from. Unset: none (the demo adds loopback).</summary>
    [ConfigurationKeyName("Pulling:AllowedNetworks")]
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>URL of an HTTP proxy, which then resolves names too. Unset: none; the environment's proxy variables are not read.</summary>
    [ConfigurationKeyName("Pulling:Proxy")]
    [DataType(DataType.Password)]
    public string? Proxy { get; set; }

    /// <summary>PEM file with certificate authorities trusted in addition to the system's. Unset: the system's only.</summary>
    [ConfigurationKeyName("Pulling:CaFile")]
    public string? CaFile { get; set; }

    /// <summary>Largest body in bytes, as received and after decompression. At least 1; unset: 1 GiB.</summary>
    [ConfigurationKeyName("Pulling:MaxBytes")]
    [Range(typeof(long), "1", "9223372036854775807")]
    public long MaxBytes { get; set; } = 1L << 30;

    /// <summary>Name resolution, connection and TLS; 10 s. This and the time-outs below are not for operators: a server slower than them is down.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>From request to the answer's headers; 30 s.</summary>
    public TimeSpan FirstByteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Between two pieces of the body; 30 s.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Everything, redirects included; 5 min.</summary>
    public TimeSpan TotalTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The networks of <see cref="AllowedNetworks"/>.</summary>
    internal IReadOnlyList<IPNetwork> Networks => [.. AllowedNetworks.Select(IPNetwork.Parse)];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (string network in AllowedNetworks.Where(n => !IPNetwork.TryParse(n, out _)))
        {
            yield return new ValidationResult($"Pulling:AllowedNetworks holds '{network}'; use networks such as 10.0.0.0/8, without host bits.");
        }
        // Not shown: it may hold a password.
        if (Proxy is not null && !(Uri.TryCreate(Proxy, UriKind.Absolute, out Uri? proxy) && proxy.Scheme is "http" or "https"))
        {
            yield return new ValidationResult("Pulling:Proxy is not an http or https address; write it like http://proxy.example:3128.");
        }
        if (CaFile is not null && CaFileProblem(CaFile) is { } problem)
        {
            yield return new ValidationResult($"Pulling:CaFile names '{CaFile}', which {problem}.");
        }
    }

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
