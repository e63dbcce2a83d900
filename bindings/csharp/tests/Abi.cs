// Prints the numbers and structs of the binding, one a line: "#define MPEGCLIENT_NAME VALUE", then "STRUCT SIZE" and
// "STRUCT.MEMBER OFFSET SIZE", for the tests of the binary interface.
using System;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

static class Abi
{
    // What the header calls the types of the binding.
    static readonly (string, string)[] Groups =
    {
        ("Status", "ERROR"), ("State", "STATE"), ("Phase", "PHASE"), ("Order", "ORDER"), ("PixelFormat", "PIXEL_FORMAT"),
        ("Device", "DEVICE"), ("CaptureClock", "CLOCK"), ("EventKind", "EVENT"), ("ParameterKind", "PARAMETER"),
        ("Scope", "SCOPE"), ("LogLevel", "LOG"), ("FrameFlags", "FRAME"), ("ReadFlags", "READ"), ("BatchFlags", "BATCH"),
    };

    static readonly (string, string)[] Structs =
    {
        ("ParameterInfo", "MpegClientParameterInfo"), ("StreamInfo", "MpegClientStreamInfo"), ("Stats", "MpegClientStats"),
        ("Event", "MpegClientEvent"), ("Failure", "MpegClientError"), ("NativeReadOptions", "MpegClientReadOptions"),
        ("FrameInfo", "MpegClientFrameInfo"), ("BatchInfo", "MpegClientBatch"),
    };

    static void Main()
    {
        var assembly = typeof(MpegClient.Client).Assembly;
        Console.WriteLine($"#define MPEGCLIENT_ABI_VERSION {MpegClient.Library.RequiredAbiVersion}");
        foreach (var row in Groups)
            ShowNumbers(assembly.GetType("MpegClient." + row.Item1, true), row.Item2);
        foreach (var row in Structs)
            ShowStruct(assembly.GetType("MpegClient." + row.Item1, true), row.Item2);
    }

    static void ShowNumbers(Type type, string group)
    {
        foreach (var value in Enum.GetValues(type))
        {
            string name = Snake(value.ToString()).ToUpperInvariant();
            string full = group == "ERROR" && name == "OK" ? "OK" : group + "_" + name;
            Console.WriteLine($"#define MPEGCLIENT_{full} {Convert.ToInt64(value)}");
        }
    }

    static void ShowStruct(Type type, string name)
    {
        Console.WriteLine($"{name} {Marshal.SizeOf(type)}");
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            // An automatic property keeps its value in a field called <Name>k__BackingField.
            string member = Snake(Regex.Replace(field.Name, "<(.*)>.*", "$1"));
            Console.WriteLine($"{name}.{member} {Marshal.OffsetOf(type, field.Name)} {Size(field)}");
        }
    }

    static int Size(FieldInfo field)
    {
        var text = field.GetCustomAttributes<System.Runtime.CompilerServices.FixedBufferAttribute>().FirstOrDefault();
        if (text != null)
            return text.Length;
        var type = field.FieldType;
        return Marshal.SizeOf(type.IsEnum ? Enum.GetUnderlyingType(type) : type.IsPointer ? typeof(IntPtr) : type);
    }

    static string Snake(string name) => Regex.Replace(name, "(?<!^)([A-Z])", "_$1").ToLowerInvariant();
}
