using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.Hosting;

/// <summary>A setting, or a place a setting names, that cannot work. The message names the key and is meant for the operator.</summary>
public sealed class SettingsException : Exception
{
    public SettingsException(string message) : base(message) { }
    public SettingsException(string message, Exception inner) : base(message, inner) { }
    public SettingsException() { }
}

/// <summary>Section <c>Data</c>.</summary>
/// <param name="Directory">Absolute; default <c>data</c> (<c>data-demo</c> in the demo) below the working folder.</param>
/// <param name="RetentionDays">Days that records are kept after they arrived, 1 to 3650; default 8.</param>
/// <param name="MaxBytes">Most bytes of records, at least 64 MiB; unset: no bound.</param>
public sealed record DataSettings(string Directory, int RetentionDays, long? MaxBytes);

/// <summary>Section <c>Alerts</c>.</summary>
/// <param name="RetentionDays">Days that alerts are kept after they were last seen, 1 to 3650; default 91.</param>
/// <param name="GroupingHours">A hit at most this far from an alert's first or last joins it, 1 to 720; default 24.</param>
public sealed record AlertSettings(int RetentionDays, int GroupingHours);

/// <summary>Section <c>Http</c>.</summary>
/// <param name="Urls">Where the process listens; default <see cref="Settings.DefaultUrl"/>.</param>
/// <param name="AllowedHosts">Host names answered beside the loopback ones, without port; default none.</param>
/// <param name="AllowOpen">Listening beyond loopback is meant; default false.</param>
public sealed record HttpSettings(IReadOnlyList<string> Urls, IReadOnlyList<string> AllowedHosts, bool AllowOpen);

/// <summary>Section <c>Pulling</c>, as far as the host looks at it.</summary>
/// <param name="AllowedNetworks">CIDRs inside the loopback, private and unique-local ranges that may be fetched from; default none, loopback in the demo.</param>
/// <param name="Proxy">Address of an HTTP proxy; unset: none, whatever the environment says.</param>
/// <param name="CaFile">PEM file of further certificate authorities; unset: the system's only.</param>
public sealed record PullingSettings(IReadOnlyList<string> AllowedNetworks, Uri? Proxy, string? CaFile);

/// <summary>Everything an operator can set, read and checked once before anything else happens.</summary>
/// <param name="ClusterName"><c>Cluster:Name</c>: the cluster that records come from; default <c>cluster</c>.</param>
/// <param name="ConnectionString"><c>ConnectionStrings:ThreatFeeds</c>: needed for Postgres; for Sqlite default a file in the data folder.</param>
/// <param name="Demo">Sample feeds and logs are wanted.</param>
public sealed record Settings(
    DataSettings Data, AlertSettings Alerts, HttpSettings Http, PullingSettings Pulling,
    string ClusterName, StorageOptions Storage, string? ConnectionString, bool Demo)
{
    public const string DefaultUrl = "http://localhost:5080";

    /// <exception cref="SettingsException">A value cannot be used.</exception>
    public static Settings Read(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var read = new SettingsReader(configuration);
        bool demo = read.Flag("Demo");
        string directory = read.Text("Data:Directory") ?? (demo ? "data-demo" : "data");
        List<string> networks = [.. read.Networks("Pulling:AllowedNetworks")];
        if (demo)
        {
            networks.AddRange(["127.0.0.0/8", "::1/128"]);
        }
        var storage = new StorageOptions { Provider = read.OneOf("Storage:Provider", "Sqlite", "Postgres") };
        string? connection = configuration.GetConnectionString("ThreatFeeds");
        if (storage.Provider == "Postgres" && string.IsNullOrWhiteSpace(connection))
        {
            throw new SettingsException("ConnectionStrings:ThreatFeeds must be set when Storage:Provider is Postgres.");
        }
        return new Settings(
            new DataSettings(Path.GetFullPath(directory), read.Whole("Data:RetentionDays", 8, 1, 3650), read.Bytes("Data:MaxBytes", 64L << 20)),
            new AlertSettings(read.Whole("Alerts:RetentionDays", 91, 1, 3650), read.Whole("Alerts:GroupingHours", 24, 1, 720)),
            new HttpSettings(read.Addresses(), read.Hosts("Http:AllowedHosts"), read.Flag("Http:AllowOpen")),
            new PullingSettings(networks, read.Address("Pulling:Proxy"), read.ExistingFile("Pulling:CaFile")),
            read.Name("Cluster:Name", "cluster"), storage, string.IsNullOrWhiteSpace(connection) ? null : connection, demo);
    }
}
