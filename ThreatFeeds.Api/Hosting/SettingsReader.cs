using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace ThreatFeeds.Api.Hosting;

/// <summary>
/// The one way from configuration to options: a property with a key (<see cref="ConfigurationKeyNameAttribute"/>) is a setting, its initial value the default, its
/// validation attributes the range, and <see cref="IValidatableObject"/> what they cannot say. Nothing throws; problems are collected so that all can be told together.
/// </summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private static readonly char[] Separators = [',', ';', ' '];
    private readonly List<string> _problems = [];

    /// <summary>What could not be used so far; each names its key.</summary>
    public IReadOnlyList<string> Problems => _problems;

    public bool Has(string key) => !string.IsNullOrWhiteSpace(configuration[key]);

    public T Options<T>()
        where T : class, new()
    {
        var options = new T();
        foreach (PropertyInfo property in SettingKeys.Properties(typeof(T)))
        {
            Set(options, property, SettingKeys.Of(property));
        }
        _problems.AddRange((options as IValidatableObject)?.Validate(new ValidationContext(options)).Select(r => r.ErrorMessage ?? "") ?? []);
        return options;
    }

    private void Set(object options, PropertyInfo property, string key)
    {
        if (property.GetValue(options) is IList<string> list)
        {
            foreach (string item in Items(key))
            {
                list.Add(item);
            }
            return;
        }
        string? file = SettingKeys.IsSecret(property) ? configuration[SettingKeys.FileOf(property)]?.Trim() : null;
        if (!string.IsNullOrEmpty(file))
        {
            property.SetValue(options, Secret(key, SettingKeys.FileOf(property), file));
            return;
        }
        if (!Has(key))
        {
            return;
        }
        string text = configuration[key]!.Trim();
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        RangeAttribute? range = property.GetCustomAttribute<RangeAttribute>();
        if (!TryRead(type, text, out object? value))
        {
            _problems.Add($"{key} is '{text}'; use {Expected(type, range)}.");
        }
        else if (property.GetCustomAttributes<ValidationAttribute>().FirstOrDefault(a => !a.IsValid(value)) is { } broken)
        {
            _problems.Add($"{key} is '{text}'; {(broken is RangeAttribute ? "use " + Expected(type, range) : broken.ErrorMessage)}.");
        }
        else
        {
            property.SetValue(options, value);
        }
    }

    /// <summary>What a file holds, without space around; null when it cannot be used.</summary>
    private string? Secret(string key, string fileKey, string file)
    {
        if (Has(key))
        {
            _problems.Add($"{key} and {fileKey} are both set; use one of them.");
        }
        try
        {
            string text = File.ReadAllText(file).Trim();
            if (text.Length > 0)
            {
                return text;
            }
            _problems.Add($"{fileKey} names '{file}', which is empty.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Add($"{fileKey} names '{file}', which cannot be read: {e.Message}");
        }
        return null;
    }

    /// <summary>A list, as <c>KEY:0</c>, <c>KEY:1</c>… or in one value with commas, semicolons or spaces between.</summary>
    private IEnumerable<string> Items(string key) => configuration.GetSection(key).GetChildren().Select(c => c.Value).Prepend(configuration[key])
        .SelectMany(v => (v ?? "").Split(Separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static bool TryRead(Type type, string text, out object? value)
    {
        value = type switch
        {
            _ when type == typeof(string) => text,
            _ when type == typeof(bool) => bool.TryParse(text, out bool flag) ? flag : null,
            _ when type == typeof(int) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null,
            _ when type == typeof(long) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null,
            // Names only: an enum's numbers are nobody's business.
            { IsEnum: true } => Enum.GetNames(type).FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name ? Enum.Parse(type, name) : null,
            _ => throw new NotSupportedException($"A setting cannot be of the type {type.Name}."),
        };
        return value is not null;
    }

    private static string Expected(Type type, RangeAttribute? range) => type switch
    {
        _ when type == typeof(bool) => "true or false",
        { IsEnum: true } => string.Join(" or ", Enum.GetNames(type)),
        _ when range is { OperandType: var operand } && operand == typeof(int) => $"a whole number from {range.Minimum} to {range.Maximum}",
        _ => $"a whole number, at least {range?.Minimum ?? 0}",
    };
}
