using Microsoft.Extensions.Configuration;
using ThreatFeeds.Api.Commands;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Tests.Support;
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
        Assert.Equal(8, settings.Data.RetentionDays);
        Assert.Null(settings.Data.MaxBytes);
        Assert.Equal(91, settings.Alerts.RetentionDays);
        Assert.Equal(24, settings.Alerts.GroupingHours);
        Assert.Equal("cluster", settings.ClusterName);
        Assert.Equal("Sqlite", settings.Storage.Provider);
        Assert.Empty(settings.Pulling.AllowedNetworks);
        Assert.Equal([Settings.DefaultUrl], settings.Http.Urls);
        Assert.False(settings.Http.AllowOpen);
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
    public void A_value_that_cannot_be_used_is_told_with_its_key(string setting)
    {
        var problem = Assert.Throws<SettingsException>(() => Read(setting));
        Assert.Contains(setting.Split('=')[0], problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Postgres_needs_a_connection_string() =>
        Assert.Contains("ConnectionStrings:ThreatFeeds", Assert.Throws<SettingsException>(() => Read("Storage:Provider=postgres")).Message, StringComparison.Ordinal);

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
            ListenAddresses.Check(Read("urls=" + urls).Http);
        }
        else
        {
            Assert.Contains("Http:AllowOpen", Assert.Throws<SettingsException>(() => ListenAddresses.Check(Read("urls=" + urls).Http)).Message, StringComparison.Ordinal);
        }
        ListenAddresses.Check(Read("urls=" + urls, "Http:AllowOpen=true").Http);
    }

    [Fact]
    public void An_endpoint_in_the_servers_own_section_is_checked_too() =>
        Assert.Throws<SettingsException>(() => ListenAddresses.Check(Read("Kestrel:Endpoints:Open:Url=http://0.0.0.0:1").Http));

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

    [Fact]
    public async Task A_command_line_that_makes_no_sense_ends_with_2() =>
        Assert.Equal(2, await CommandLine.RunAsync(["--nonsense"]));

    [Fact]
    public async Task Help_and_version_answer_without_starting_anything()
    {
        Assert.Equal(0, await CommandLine.RunAsync(["--help"]));
        Assert.Equal(0, await CommandLine.RunAsync(["--version"]));
    }

    private static Settings Read(params string[] settings) => Settings.Read(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(s => s.Split('=', 2)).Select(p => KeyValuePair.Create(p[0], (string?)p[1]))).Build());
}
