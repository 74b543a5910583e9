using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Epcis.Tests.Library;

/// <summary>
/// What the library shows to others stands in PublicSurface.txt, so that a change to it is seen in review. To write it anew:
/// <c>WRITE_DOCS=1 dotnet test tests/Epcis.Tests --filter PublicSurfaceTests</c>.
/// </summary>
public sealed class PublicSurfaceTests
{
    private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private static readonly NullabilityInfoContext s_nullability = new();

    private static readonly Dictionary<Type, string> s_words = new()
    {
        [typeof(void)] = "void", [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(char)] = "char", [typeof(short)] = "short", [typeof(int)] = "int",
        [typeof(long)] = "long", [typeof(decimal)] = "decimal", [typeof(string)] = "string", [typeof(object)] = "object",
    };

    private static readonly string s_path = Path.Combine(SharedFiles.Repository, "tests", "Epcis.Tests", "Library", "PublicSurface.txt");

    [Fact]
    public void The_public_surface_is_the_one_that_was_reviewed()
    {
        var surface = Surface();
        if (Environment.GetEnvironmentVariable("WRITE_DOCS") == "1")
        {
            File.WriteAllText(s_path, surface);
        }
        var reviewed = File.Exists(s_path) ? File.ReadAllLines(s_path) : [];
        var now = surface.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] changes = [.. reviewed.Except(now).Select(l => "- " + l), .. now.Except(reviewed).Select(l => "+ " + l)];
        Assert.True(changes.Length == 0, $"""
            The public surface has changed. If that is meant: WRITE_DOCS=1 dotnet test tests/Epcis.Tests --filter PublicSurfaceTests
            {string.Join('\n', changes)}
            """);
    }

    // Every line names its type, so that each can be compared by itself.
    private static string Surface()
    {
        var text = new StringBuilder();
        foreach (var type in typeof(Finding).Assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            var name = NameOf(type);
            text.Append(KindOf(type)).Append(' ').Append(type.Namespace).Append(' ').Append(name);
            var above = type.GetInterfaces().Where(i => i.Namespace == "System" && i.Name is "IDisposable" or "IAsyncDisposable").Select(NameOf);
            text.AppendJoin("", (type.BaseType is { } b && b != typeof(object) && b != typeof(ValueType) && b != typeof(Enum) ? above.Prepend(NameOf(b)) : above).Select(n => " : " + n)).Append('\n');
            if (type.IsEnum)
            {
                foreach (var value in Enum.GetValues(type))
                {
                    text.Append("    ").Append(name).Append('.').Append(value).Append(" = ").Append(Convert.ToInt64(value, null)).Append('\n');
                }
                continue;
            }
            foreach (var line in type.GetMembers(Declared).Select(m => LineOf(name, m)).OfType<string>().Order(StringComparer.Ordinal))
            {
                text.Append("    ").Append(line).Append('\n');
            }
        }
        return text.ToString();
    }

    private static string KindOf(Type type) =>
        type.IsEnum ? "enum"
        : type.IsValueType ? "struct"
        : type.IsAbstract && type.IsSealed ? "static class"
        : type.IsAbstract ? "abstract class"
        : type.IsSealed ? "class"
        : "open class";

    // What the compiler makes for a record is as public as the record, and says nothing more.
    private static string? LineOf(string type, MemberInfo member) => member switch
    {
        ConstructorInfo c when IsSeen(c) && !IsCopy(c) => $"{type}({Parameters(c)})",
        FieldInfo f when f.IsPublic => $"{type}.{f.Name} : {NameOf(f.FieldType)}{(f.IsLiteral ? $" = {Literal(f.GetRawConstantValue())}" : "")}",
        PropertyInfo p when p.GetMethod is { } get && IsSeen(get) && p.Name != "EqualityContract" =>
            $"{type}.{p.Name}{(p.GetIndexParameters().Length > 0 ? $"[{Parameters(get)}]" : "")} : {NameOf(p.PropertyType, s_nullability.Create(p))}{Accessors(p)}",
        MethodInfo m when IsSeen(m) && !m.IsDefined(typeof(CompilerGeneratedAttribute)) && (!m.IsSpecialName || m.Name.StartsWith("op_", StringComparison.Ordinal)) && m.Name is not ("Equals" or "GetHashCode" or "ToString") =>
            $"{type}.{m.Name}{(m.IsGenericMethod ? $"<{string.Join(", ", m.GetGenericArguments().Select(NameOf))}>" : "")}({Parameters(m)}) : {NameOf(m.ReturnType, s_nullability.Create(m.ReturnParameter))}",
        _ => null,
    };

    private static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsCopy(ConstructorInfo c) => !c.IsPublic && c.GetParameters() is [var only] && only.ParameterType == c.DeclaringType;

    private static string Accessors(PropertyInfo p) =>
        p.SetMethod is not { } set || !IsSeen(set) ? " { get; }"
        : set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " { get; init; }"
        : " { get; set; }";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        $"{(p.IsOut ? "out " : "")}{NameOf(p.ParameterType.IsByRef ? p.ParameterType.GetElementType()! : p.ParameterType, s_nullability.Create(p))} {p.Name}{(p.HasDefaultValue ? " = " + Literal(p.DefaultValue) : "")}"));

    private static string Literal(object? value) => value switch
    {
        null => "null",
        string s => $"\"{s}\"",
        char c => $"'\\u{(int)c:x4}'",
        bool b => b ? "true" : "false",
        _ => value.ToString()!,
    };

    private static string NameOf(Type type, NullabilityInfo nullability)
    {
        var name = type.IsGenericType && Nullable.GetUnderlyingType(type) is null
            ? $"{NameOf(type).Split('<')[0]}<{string.Join(", ", nullability.GenericTypeArguments.Select(a => NameOf(a.Type, a)))}>"
            : NameOf(type);
        return !type.IsValueType && nullability.ReadState == NullabilityState.Nullable ? name + "?" : name;
    }

    private static string NameOf(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return NameOf(underlying) + "?";
        }
        if (type.IsArray)
        {
            return NameOf(type.GetElementType()!) + "[]";
        }
        var name = s_words.GetValueOrDefault(type) ?? (type.IsNested && !type.IsGenericParameter ? $"{NameOf(type.DeclaringType!)}.{type.Name}" : type.Name);
        return type.IsGenericType ? $"{name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>" : name;
    }
}
