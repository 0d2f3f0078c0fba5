using System.ComponentModel.DataAnnotations;

namespace ThreatFeeds.Api.Hosting;

/// <summary>The process itself.</summary>
internal sealed class HostingOptions : IValidatableObject
{
    internal const string OtlpEndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Seconds that requests and jobs under way have to end when the process is told to. 1 to 300; unset: 10.</summary>
    [ConfigurationKeyName("Hosting:ShutdownSeconds")]
    [Range(1, 300)]
    public int ShutdownSeconds { get; set; } = 10;

    /// <summary>Start with sample feeds and logs. Unset: false.</summary>
    [ConfigurationKeyName("Demo")]
    public bool Demo { get; set; }

    /// <summary>
    /// Address of an OpenTelemetry collector that traces and metrics are sent to; the name is OpenTelemetry's own, and its other variables are read by its library.
    /// Unset: nothing is sent.
    /// </summary>
    [ConfigurationKeyName(OtlpEndpointKey)]
    public string? OtlpEndpoint { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        // The library would quietly send to localhost instead.
        if (!string.IsNullOrWhiteSpace(OtlpEndpoint) && !(Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)))
        {
            yield return new ValidationResult($"{OtlpEndpointKey} is '{OtlpEndpoint}'; use an address such as http://localhost:4317.");
        }
    }
}

/// <summary>Section <c>Data</c>, as far as it says where.</summary>
internal sealed class DataOptions
{
    internal const string DemoDirectory = "data-demo";

    /// <summary>The folder everything is kept in; absolute once it was read. Unset: <c>data</c> below the working folder, in the demo <c>data-demo</c>.</summary>
    [ConfigurationKeyName("Data:Directory")]
    public string Directory { get; set; } = "data";
}

/// <summary>Section <c>Http</c>, and where the process listens.</summary>
internal sealed class HttpOptions : IValidatableObject
{
    public const string DefaultUrl = "http://localhost:5080";

    /// <summary>Addresses to listen on, with semicolons between. Unset: <see cref="DefaultUrl"/>.</summary>
    [ConfigurationKeyName("urls")]
    public string Urls { get; set; } = DefaultUrl;

    /// <summary>Host names answered beside the loopback ones, without scheme, port or wildcard. Unset: none.</summary>
    [ConfigurationKeyName("Http:AllowedHosts")]
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Listening beyond loopback is meant, although there is no login. Unset: false.</summary>
    [ConfigurationKeyName("Http:AllowOpen")]
    public bool AllowOpen { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (string host in AllowedHosts.Where(h => h.Contains('*', StringComparison.Ordinal) || Uri.CheckHostName(h.Trim('[', ']')) == UriHostNameType.Unknown))
        {
            yield return new ValidationResult($"Http:AllowedHosts holds '{host}'; use host names or addresses without scheme, port or wildcard.");
        }
    }
}

/// <summary>Who has to say who they are.</summary>
internal enum AuthMode
{
    /// <summary>Nobody, as long as there is no login.</summary>
    Auto,

    /// <summary>Nobody.</summary>
    Open,

    /// <summary>Everybody, which is not possible yet.</summary>
    Required,
}

/// <summary>Section <c>Auth</c>.</summary>
internal sealed class AuthOptions : IValidatableObject
{
    /// <summary>Unset: <see cref="AuthMode.Auto"/>.</summary>
    [ConfigurationKeyName("Auth:Mode")]
    public AuthMode Mode { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Mode == AuthMode.Required)
        {
            yield return new ValidationResult("Auth:Mode is 'required', and there is no login yet; use auto or open, and put something before it that decides who may come in.");
        }
    }
}
