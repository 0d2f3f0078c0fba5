using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ThreatFeeds.Api.Commands;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.House;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Web;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>Settings are checked before anything happens, and the failure names the key.</summary>
public sealed class SettingsTests
{
    [Fact]
    public void Without_settings_the_defaults_of_the_documentation_hold()
    {
        Settings settings = Read();
        Assert.Equal(Path.GetFullPath("data"), settings.Data.Directory);
        Assert.Equal(8, settings.Retention.RetentionDays);
        Assert.Null(settings.Retention.MaxBytes);
        Assert.Equal(91, settings.Alerts.RetentionDays);
        Assert.Equal(24, settings.Alerts.GroupingHours);
        Assert.Equal("cluster", settings.Alerts.Cluster);
        Assert.Equal(DatabaseProvider.Sqlite, settings.Storage.Provider);
        Assert.Empty(settings.Pulling.AllowedNetworks);
        Assert.Equal(1L << 30, settings.Pulling.MaxBytes);
        Assert.Equal("http://localhost:5080", settings.Http.Urls);
        Assert.False(settings.Http.AllowOpen);
        Assert.Equal(10, settings.Hosting.ShutdownSeconds);
    }

    [Theory]
    [InlineData("Data:RetentionDays=0")]
    [InlineData("Data:RetentionDays=eight")]
    [InlineData("Data:MaxBytes=-1")]
    [InlineData("Alerts:GroupingHours=1.5")]
    [InlineData("Cluster:Name=East Side")]
    [InlineData("Storage:Provider=Oracle")]
    [InlineData("Http:AllowOpen=maybe")]
    [InlineData("Http:AllowedHosts=https://x.example")]
    [InlineData("Http:AllowedHosts=*.example.org")]
    [InlineData("Pulling:AllowedNetworks=10.0.0.0")]
    [InlineData("Pulling:Proxy=proxy:3128")]
    [InlineData("Pulling:CaFile=/nowhere/ca.pem")]
    [InlineData("Pulling:MaxBytes=0")]
    [InlineData("Pulling:MaxSpoolBytes=1")]
    [InlineData("Pulling:MaxFetches=0")]
    [InlineData("Pulling:MaxIndicatorBytes=1048575")]
    [InlineData("Pulling:MaxIndicatorBytes=2147483592")]
    [InlineData("Pulling:Proxy=http://user:secret@proxy.example:3128")]
    [InlineData("Pulling:ProxyCredentialsFile=/nowhere/credentials")]
    [InlineData("Data:MaxBytes=67108863")]
    [InlineData("Storage:Provider=1")]
    [InlineData("Hosting:ShutdownSeconds=301")]
    [InlineData("Cluster:Name=-east")]
    [InlineData("urls=localhost:5080")]
    public void A_value_that_cannot_be_used_is_told_with_its_key(string setting)
    {
        var problem = Assert.Throws<SettingsException>(() => Read(setting));
        Assert.Contains(setting.Split('=')[0], problem.Message, StringComparison.Ordinal);
        // And with what would be right, or what is not so.
        Assert.Matches(@"; (use|write it like) \w.*\.$|which does not exist\.$", problem.Message);
    }

    [Fact]
    public void Postgres_needs_a_connection_string() =>
        Assert.Contains("ConnectionStrings:ThreatFeeds", Assert.Throws<SettingsException>(() => Read("Storage:Provider=postgres")).Message, StringComparison.Ordinal);

    [Fact]
    public void All_that_is_wrong_is_told_at_once()
    {
        string told = Assert.Throws<SettingsException>(() => Read("Data:RetentionDays=0", "Pulling:Proxy=nowhere", "Storage:Provider=Postgres", "Alerts:RetentionDay=3")).Message;
        Assert.Equal(["Data:RetentionDays", "Pulling:Proxy", "ConnectionStrings:ThreatFeeds", "Alerts:RetentionDay is no setting; did you mean Alerts:RetentionDays?"],
            new[] { "Data:RetentionDays", "Pulling:Proxy", "ConnectionStrings:ThreatFeeds", "Alerts:RetentionDay is no setting; did you mean Alerts:RetentionDays?" }.Where(t => told.Contains(t, StringComparison.Ordinal)));
        Assert.Equal(4, told.Split(Environment.NewLine).Length);
    }

    [Theory]
    [InlineData("Data:RetentionDay", "Data:RetentionDays")]
    [InlineData("data:maxbyte", "Data:MaxBytes")]
    [InlineData("Pulling:AllowedNetwork:0", "Pulling:AllowedNetworks")]
    [InlineData("Puling:CaFile", "Pulling:CaFile")]
    [InlineData("Htp:AllowOpen", "Http:AllowOpen")]
    [InlineData("Pulling__MaxBytes", "Pulling:MaxBytes")]
    [InlineData("Data:RetentionDays:Days", "Data:RetentionDays")]
    [InlineData("ConnectionStrings:ThreatFeed", "ConnectionStrings:ThreatFeeds")]
    public void A_mistyped_key_is_refused_and_the_nearest_named(string key, string meant)
    {
        string told = Assert.Throws<SettingsException>(() => Read(key + "=1")).Message;
        Assert.Equal($"{key} is no setting; did you mean {meant}?", told);
    }

    [Theory]
    [InlineData("Logging:LogLevel:Default")]
    [InlineData("Kestrel:Limits:MaxConcurrentConnections")]
    [InlineData("AllowedHosts")]
    [InlineData("DATA")]
    [InlineData("PATH")]
    [InlineData("hostBuilder:reloadConfigOnChange")]
    public void Keys_of_the_framework_and_of_the_environment_are_nobodys_business(string key) =>
        Assert.Equal(8, Read(key + "=1").Retention.RetentionDays);

    [Fact]
    public void Every_setting_that_the_sources_name_can_be_set()
    {
        string sections = string.Join('|', SettingKeys.All.Where(k => k.Contains(':', StringComparison.Ordinal)).Select(k => k.Split(':')[0]).Distinct());
        var named = Sources.Product.SelectMany(f => Regex.Matches(f.Text, $@"\b(?:{sections}):[A-Z]\w+").Select(m => m.Value)).Distinct().ToList();
        Assert.Contains("Pulling:MaxBytes", named);
        Assert.Empty(named.Except(SettingKeys.All));
    }

    [Fact]
    public void The_table_of_the_README_holds_every_setting_with_its_default_and_meaning()
    {
        string text = Sources.Read("README.md");
        string section = text[text.IndexOf("## Settings", StringComparison.Ordinal)..];
        section = section[..section.IndexOf("\n## ", 5, StringComparison.Ordinal)];
        List<string[]> rows = [.. section.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)).Select(l => l.Split('|', StringSplitOptions.TrimEntries)[1..^1])];
        Assert.Equal(SettingKeys.All.Order(StringComparer.Ordinal), rows.Select(r => Quoted(r[0])!).Order(StringComparer.Ordinal));
        Assert.All(rows, row =>
        {
            Assert.Equal(3, row.Length);
            Assert.True(row[2].Length > 10, $"{row[0]} has no meaning");
            (Type type, PropertyInfo property) = Settings.Classes.SelectMany(c => SettingKeys.Properties(c).Select(p => (c, p))).Single(p => SettingKeys.Of(p.p) == Quoted(row[0]));
            object? standard = property.GetValue(Activator.CreateInstance(type));
            string? written = standard switch { null or IList<string> => null, bool flag => flag ? "true" : "false", _ => Convert.ToString(standard, CultureInfo.InvariantCulture) };
            // What is unset by default is said in words.
            Assert.True(written is null ? row[1].Length > 0 && !row[1].Contains('`', StringComparison.Ordinal) : Quoted(row[1]) == written, $"{row[0]} is {written ?? "unset"} by default, not {row[1]}");
            if (property.GetCustomAttribute<RangeAttribute>() is { } range)
            {
                Assert.Contains(Convert.ToString(range.Minimum, CultureInfo.InvariantCulture)!, row[2], StringComparison.Ordinal);
            }
        });

        static string? Quoted(string cell) => Regex.Match(cell, "`([^`]*)`") is { Success: true } m ? m.Groups[1].Value : null;
    }

    [Fact]
    public async Task What_a_circuit_may_hold_is_said_by_the_console_alone()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        CircuitOptions circuits = app.Services.GetRequiredService<IOptions<CircuitOptions>>().Value;
        Assert.Equal(WebRegistration.MostLeftCircuits, circuits.DisconnectedCircuitMaxRetained);
        Assert.Equal(WebRegistration.MostLeftCircuits, circuits.PersistedCircuitInMemoryMaxRetained);
        Assert.Equal(["ThreatFeeds.Web/WebRegistration.cs"], Sources.Product.Where(f => Regex.IsMatch(f.Text, @"DisconnectedCircuitMaxRetained =|MaximumReceiveMessageSize =")).Select(f => f.Path));
    }

    [Fact]
    public void Lists_are_read_in_one_value_or_one_by_one()
    {
        Assert.Equal(["10.0.0.0/8", "fd00::/8"], Read("Pulling:AllowedNetworks=10.0.0.0/8, fd00::/8").Pulling.AllowedNetworks);
        Assert.Equal(["10.0.0.0/8", "fd00::/8"], Read("Pulling:AllowedNetworks:0=10.0.0.0/8", "Pulling:AllowedNetworks:1=fd00::/8").Pulling.AllowedNetworks);
    }

    [Fact]
    public void The_demo_has_a_folder_of_its_own_and_may_fetch_from_itself()
    {
        Settings settings = Read("Demo=true");
        Assert.Equal(Path.GetFullPath("mine"), Read("Demo=true", "Data:Directory=mine").Data.Directory);
        Assert.Equal(Path.GetFullPath("data-demo"), settings.Data.Directory);
        Assert.Equal(["127.0.0.0/8", "::1/128"], settings.Pulling.AllowedNetworks);
    }

    [Theory]
    [InlineData("http://localhost:5080", true)]
    [InlineData("http://127.0.0.1:0", true)]
    [InlineData("http://[::1]:5080", true)]
    [InlineData("http://unix:/tmp/threatfeeds.sock", true)]
    [InlineData("http://0.0.0.0:5080", false)]
    [InlineData("http://*:5080", false)]
    [InlineData("http://+:5080", false)]
    [InlineData("http://[::]:5080", false)]
    [InlineData("http://10.1.2.3:5080", false)]
    [InlineData("http://feeds.example.org", false)]
    [InlineData("http://localhost:5080;http://0.0.0.0:5081", false)]
    public void Beyond_loopback_it_listens_only_when_told(string urls, bool allowed)
    {
        if (allowed)
        {
            Assert.Equal(urls, Read("urls=" + urls).Http.Urls);
        }
        else
        {
            Assert.Contains("Http:AllowOpen", Assert.Throws<SettingsException>(() => Read("urls=" + urls)).Message, StringComparison.Ordinal);
        }
        Assert.Equal(urls, Read("urls=" + urls, "Http:AllowOpen=true").Http.Urls);
    }

    [Fact]
    public void An_endpoint_in_the_servers_own_section_is_checked_too() =>
        Assert.Throws<SettingsException>(() => Read("Kestrel:Endpoints:Open:Url=http://0.0.0.0:1"));

    [Fact]
    public void The_data_folder_is_its_owners_alone()
    {
        using var folder = new TemporaryFolder();
        string data = Path.Combine(folder.Path, "a", "b");
        DataFolder.Prepare(data);
        Assert.Empty(Directory.GetFiles(data));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(data));
        }
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_written_ends_the_process_with_2()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "file");
        await File.WriteAllTextAsync(file, "");
        Assert.Equal(2, await CommandLine.RunAsync(["--data", Path.Combine(file, "data")]));
    }

    [Fact]
    public async Task Listening_beyond_loopback_unasked_ends_the_process_with_2()
    {
        using var folder = new TemporaryFolder();
        string data = Path.Combine(folder.Path, "data");
        Assert.Equal(2, await CommandLine.RunAsync(["--data", data, "--urls", "http://0.0.0.0:0"]));
        Assert.False(Directory.Exists(data));
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("--set", "Data:RetentionDays")]
    [InlineData("--set", "=3")]
    [InlineData("--set", "Data:RetentionDay=3")]
    [InlineData("--set", "Pulling__MaxBytes=3")]
    [InlineData("--set", "Auth:Mode=required")]
    [InlineData("--set", "url=http://localhost:1")]
    public async Task A_command_line_that_makes_no_sense_ends_with_2(params string[] arguments) =>
        Assert.Equal(2, await CommandLine.RunAsync(arguments));

    [Fact]
    public void A_file_of_authorities_without_any_is_told()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "ca.pem");
        foreach (string text in new[] { "", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" })
        {
            File.WriteAllText(file, text);
            Assert.Contains("Pulling:CaFile", Assert.Throws<SettingsException>(() => Read("Pulling:CaFile=" + file)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Help_and_version_answer_without_starting_anything()
    {
        Assert.Equal(0, await CommandLine.RunAsync(["--help"]));
        Assert.Equal(0, await CommandLine.RunAsync(["--version"]));
    }

    private static Settings Read(params string[] settings) => Settings.Read(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(s => s.Split('=', 2)).Select(p => KeyValuePair.Create(p[0], (string?)p[1]))).Build());
}
