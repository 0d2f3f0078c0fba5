using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using ThreatFeeds.Api.Commands;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Tests.House;
using ThreatFeeds.Tests.Support;
using Xunit;
using static ThreatFeeds.Tests.Hosting.SettingsTests;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>Which keys there are: none that nothing reads is silent, and the README has them all.</summary>
public sealed class SettingKeysTests
{
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
    [InlineData("OAuth:ClientId")]
    [InlineData("Https:Port")]
    [InlineData("Log:Level")]
    [InlineData("MyProgram:Data:RetentionDays")]
    public void Keys_of_the_framework_and_of_the_environment_are_nobodys_business(string key) =>
        Assert.Equal(8, Read(key + "=1").Retention.RetentionDays);

    [Theory]
    [InlineData("Elasticsearch:Url", "Elasticsearch:Url is no setting of this version: records are kept in the embedded store only.")]
    [InlineData("ELASTICSEARCH:URL", "ELASTICSEARCH:URL is no setting of this version: records are kept in the embedded store only.")]
    [InlineData("Auth:Oidc:Issuer", "Auth:Oidc:Issuer is no setting; did you mean Auth:Mode?")]
    [InlineData("Http:KnownProxies", "Http:KnownProxies is no setting; did you mean Http:AllowedHosts?")]
    public void A_key_in_a_section_of_ours_that_nothing_reads_is_refused(string key, string told) =>
        Assert.Equal(told, Assert.Throws<SettingsException>(() => Read(key + "=1")).Message);

    [Theory]
    [InlineData("""{"Logging":{"LogLevel":{"Default":"Warning"}},"Kestrel":{"Limits":{}},"AllowedHosts":"*","$schema":"x","Data":{"RetentionDays":3}}""", null)]
    [InlineData("""{"Data":{"RetentionDays":3},"Retention":{"Days":3}}""", "Retention:Days")]
    [InlineData("""{"Data":{"RetentionDays":3},"RetentionDays":3}""", "RetentionDays")]
    [InlineData("""{"Data":{"RetentionDays":3},"Pulling":{"AllowedNetworks":["10.0.0.0/8",{"x":1}]}}""", "Pulling:AllowedNetworks:1:x")]
    public void In_a_file_of_settings_nothing_is_silent(string file, string? refused)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "appsettings.json");
        File.WriteAllText(path, file);
        IConfiguration configuration = new ConfigurationBuilder().AddJsonFile(path).Build();
        if (refused is null)
        {
            Assert.Equal(3, Settings.Read(configuration).Retention.RetentionDays);
        }
        else
        {
            Assert.StartsWith(refused + " is no setting", Assert.Throws<SettingsException>(() => Settings.Read(configuration)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_secret_may_stand_in_a_file_of_its_own()
    {
        const string key = "ConnectionStrings:ThreatFeeds";
        const string secret = "Host=db;Username=u;Password=secret";
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "secret");
        File.WriteAllText(file, secret + "\n");
        Settings settings = Read($"{key}File={file}", "Storage:Provider=Postgres");
        Assert.Equal(secret, settings.Storage.ConnectionString);

        string both = Assert.Throws<SettingsException>(() => Read($"{key}File={file}", $"{key}={secret}", "Storage:Provider=Postgres")).Message;
        Assert.Equal($"{key} and {key}File are both set; use one of them.", both);
        File.WriteAllText(file, " ");
        Assert.Equal($"{key}File names '{file}', which is empty.", Assert.Throws<SettingsException>(() => Read($"{key}File={file}")).Message);
        File.Delete(file);
        Assert.StartsWith($"{key}File names '{file}', which cannot be read", Assert.Throws<SettingsException>(() => Read($"{key}File={file}")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ConnectionStrings:ThreatFeeds=Host=db;Username=u;Password=secret", true)]
    [InlineData("connectionstrings:threatfeeds=Host=db; PWD = secret", true)]
    [InlineData("ConnectionStrings:ThreatFeeds=Host=db;SSL Password=secret", true)]
    [InlineData("ConnectionStrings:ThreatFeeds=Host=/run/postgresql;Username=u;Passfile=/etc/pg", false)]
    public void No_password_is_taken_on_the_command_line(string setting, bool refused)
    {
        string[] told = [.. CommandLine.Create().Parse(["--set", setting]).Errors.Select(e => e.Message)];
        Assert.Equal(refused, told.Length > 0);
        Assert.All(told, t => Assert.DoesNotContain("secret", t, StringComparison.Ordinal));
        Assert.All(told, t => Assert.Contains("File=FILE", t, StringComparison.Ordinal));
    }

    [Fact]
    public void Nor_is_one_that_only_the_server_reads()
    {
        string told = Assert.Single(CommandLine.Create().Parse(["--set", "Kestrel:Certificates:Default:Password=secret"]).Errors).Message;
        Assert.Contains("everybody on this machine can read the command line", told, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", told, StringComparison.Ordinal);
    }

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
            (Type type, PropertyInfo property) = Settings.Classes.SelectMany(c => SettingKeys.Properties(c).Select(p => (c, p)))
                .Single(p => SettingKeys.Of(p.p) == Quoted(row[0]) || (SettingKeys.IsSecret(p.p) && SettingKeys.FileOf(p.p) == Quoted(row[0])));
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
}
