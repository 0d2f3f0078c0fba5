using ThreatFeeds.Alerts;
using ThreatFeeds.Pulling;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.Hosting;

/// <summary>A setting, or a place a setting names, that cannot work. The message names the key and is meant for the operator.</summary>
public sealed class SettingsException : Exception
{
    public SettingsException(string message) : base(message) { }
    public SettingsException(string message, Exception inner) : base(message, inner) { }
    public SettingsException() { }
}

/// <summary>Everything an operator can set: the options of each room, read and checked once before anything else happens.</summary>
internal sealed record Settings(
    HostingOptions Hosting, DataOptions Data, AuthOptions Auth, HttpOptions Http, BodyOptions Bodies, StorageOptions Storage, PullingOptions Pulling, AlertOptions Alerts, RetentionOptions Retention)
{
    /// <summary>The classes whose properties with a key are the settings.</summary>
    public static IReadOnlyList<Type> Classes { get; } = [.. typeof(Settings).GetConstructors()[0].GetParameters().Select(p => p.ParameterType)];

    /// <exception cref="SettingsException">What cannot be used, all of it, one a line.</exception>
    public static Settings Read(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var read = new SettingsReader(configuration);
        var settings = new Settings(
            read.Options<HostingOptions>(), read.Options<DataOptions>(), read.Options<AuthOptions>(), read.Options<HttpOptions>(), read.Options<BodyOptions>(),
            read.Options<StorageOptions>(), read.Options<PullingOptions>(), read.Options<AlertOptions>(), read.Options<RetentionOptions>());
        string[] problems = [.. read.Problems, .. SettingKeys.Unknown(configuration), .. ListenAddresses.Problems(settings.Http, configuration)];
        if (problems.Length > 0)
        {
            throw new SettingsException(string.Join(Environment.NewLine, problems));
        }
        if (settings.Hosting.Demo)
        {
            // The demo fetches its feeds from itself, and leaves the data of the real thing alone.
            settings.Pulling.AllowedNetworks.Add("127.0.0.0/8");
            settings.Pulling.AllowedNetworks.Add("::1/128");
            settings.Data.Directory = read.Has("Data:Directory") ? settings.Data.Directory : DataOptions.DemoDirectory;
        }
        settings.Data.Directory = Path.GetFullPath(settings.Data.Directory);
        return settings;
    }
}
